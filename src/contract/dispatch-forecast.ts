import { Type } from 'typebox';
import { DispatchSchema } from './dispatch.js';
import { dispatchStates, dispatchVerdicts } from './dispatch-states.js';
import { ErrorEnvelopeSchema } from './error.js';
import { closed, id, type Wire, words } from './primitives.js';

const foreseen = [
  'deviceId',
  'capability',
  'descriptorDigest',
  'repeatable',
  'idempotencyKey',
  'timeoutMs',
  'mediationTimeoutMs',
  'deliverBy',
] as const;

/** What a request would lead to at this moment: the answer to a dry run. */
export const DispatchForecastSchema = Type.Object(
  {
    verdict: words(
      dispatchVerdicts,
      'run at once; ask the person at the node first; wait in line behind what the node has not done; be queued until the node is back; be the dispatch that has the key already; or be refused with `error`',
    ),
    dispatch: Type.Optional(
      Type.Object(
        {
          ...Type.Pick(DispatchSchema, [...foreseen]).properties,
          nodeName: Type.String({ description: 'the name of the node' }),
        },
        { ...closed, description: 'what it would be, or is; absent when it is refused' },
      ),
    ),
    ahead: Type.Optional(Type.Integer({ description: 'dispatches of the node that have not ended' })),
    existing: Type.Optional(
      Type.Object(
        {
          id: id('dp'),
          state: words(dispatchStates, 'where it is'),
          held: Type.Boolean({ description: 'it waits for the build that its node offers to be approved' }),
        },
        { ...closed, description: 'the dispatch that the key stands for' },
      ),
    ),
    error: Type.Optional(ErrorEnvelopeSchema),
  },
  closed,
);
export type DispatchForecast = Wire<typeof DispatchForecastSchema>;
