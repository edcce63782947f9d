import { Type } from 'typebox';
import { deviceId } from './device.js';
import { dispatchNotes, dispatchStates, terminalDispatchStates } from './dispatch-states.js';
import { ErrorEnvelopeSchema } from './error.js';
import {
  closed,
  digest,
  givenKey,
  givenLabels,
  id,
  labels,
  milliseconds,
  mostGivenLabels,
  note,
  pageLimit,
  pageNext,
  time,
  type Wire,
  words,
} from './primitives.js';

const dispatchState = words(dispatchStates, 'where the dispatch is');

export const CreateDispatchSchema = Type.Object(
  {
    node: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'a device id, a unique prefix of one, or the name of a node',
    }),
    capability: Type.String({ minLength: 1, maxLength: 128 }),
    input: Type.Unknown({ description: 'fits the input schema of the capability' }),
    timeoutMs: Type.Optional(
      milliseconds('how long the handler may run; default: what the capability says', {
        minimum: 1,
        maximum: 86_400_000,
      }),
    ),
    idempotencyKey: Type.Optional(
      givenKey('the same key and request give the same dispatch, as long as that is kept'),
    ),
    keyIfNeeded: Type.Optional(
      givenKey('a key that counts only for a capability that is neither idempotent nor read-only'),
    ),
    labels: Type.Optional(givenLabels),
    wait: Type.Optional(Type.Boolean({ description: 'answer when it has ended' })),
    queue: Type.Optional(Type.Boolean({ description: 'accept it although the node is offline' })),
  },
  closed,
);
export type CreateDispatch = Wire<typeof CreateDispatchSchema>;

export const RetryDispatchSchema = Type.Object(
  {
    mayHaveRun: Type.Optional(
      Type.Boolean({
        description: 'also when it may not run twice and nobody knows whether it ran; an error without it',
      }),
    ),
    keyIfNeeded: Type.Optional(
      givenKey('a key that counts only for a capability that is neither idempotent nor read-only'),
    ),
    queue: Type.Optional(Type.Boolean({ description: 'accept it although the node is offline' })),
  },
  closed,
);
export type RetryDispatch = Wire<typeof RetryDispatchSchema>;

export const CancelDispatchSchema = Type.Object({ reason: Type.Optional(note('why')) }, closed);
export type CancelDispatch = Wire<typeof CancelDispatchSchema>;

export const DispatchOutcomeSchema = Type.Object(
  {
    state: words(terminalDispatchStates, 'how it ended'),
    reason: Type.Optional(Type.String({ description: 'why: `mediation_denied`, `lost`, …' })),
    output: Type.Optional(Type.Unknown({ description: 'what the capability returned' })),
    error: Type.Optional(ErrorEnvelopeSchema),
    durationMs: Type.Optional(Type.Number({ description: 'how long the handler ran, in milliseconds' })),
    started: Type.Optional(Type.Boolean({ description: 'absent when nobody knows' })),
    allowed: Type.Optional(
      Type.Object(
        {
          by: words(
            ['person', 'remembered'],
            'by a word for this call, or by one that was given for a while',
          ),
          until: Type.Optional(time('until when the same is allowed without a question')),
        },
        {
          ...closed,
          description: 'what let it run, where the person at the node is asked; as the node says',
        },
      ),
    ),
  },
  closed,
);
export type DispatchOutcome = Wire<typeof DispatchOutcomeSchema>;

export const DispatchStepSchema = Type.Object(
  {
    at: time('when'),
    to: words(
      [...dispatchStates, ...dispatchNotes],
      'the next state, or what is noted without a change of state',
    ),
    event: Type.String({ description: 'the event that led to it' }),
    by: Type.String({ description: 'who caused it' }),
    note: Type.Optional(Type.String()),
  },
  closed,
);

export const DispatchSchema = Type.Object(
  {
    id: id('dp'),
    version: Type.Integer(),
    state: dispatchState,
    deviceId: Type.String(),
    capability: Type.String(),
    descriptorDigest: digest,
    input: Type.Unknown(),
    caller: Type.String(),
    labels,
    repeatable: Type.Boolean({ description: 'may be started more than once' }),
    idempotencyKey: Type.Optional(Type.String()),
    fanout: Type.Optional(Type.String({ description: 'the fan-out that it was made for' })),
    retryOf: Type.Optional(id('dp')),
    timeoutMs: Type.Integer({ description: 'how long the handler may run, in milliseconds' }),
    mediationTimeoutMs: Type.Integer({ description: 'how long the person at the node has, in milliseconds' }),
    createdAt: time('when it was created'),
    updatedAt: time('when it changed last'),
    deliverBy: time('not delivered by then: expired'),
    latestEnd: time('nothing starts after this'),
    sentInEpoch: Type.Integer({ description: 'the session in which it was sent; 0: never' }),
    deliveredAt: Type.Optional(time('when the node had it')),
    finishedAt: Type.Optional(time('when it ended')),
    cancelRequestedBy: Type.Optional(Type.String()),
    outcome: Type.Optional(DispatchOutcomeSchema),
    resolution: Type.Optional(DispatchOutcomeSchema),
    steps: Type.Array(DispatchStepSchema),
  },
  closed,
);
export type Dispatch = Wire<typeof DispatchSchema>;

/** A dispatch as lists have it: without what may be large of it, and with the name of its node. */
export const DispatchSummarySchema = Type.Object(
  {
    ...Type.Omit(DispatchSchema, ['input', 'steps', 'outcome', 'resolution']).properties,
    nodeName: Type.Optional(
      Type.String({ description: 'absent when nothing but the id of its device is left' }),
    ),
    outcome: Type.Optional(Type.Omit(DispatchOutcomeSchema, ['output'], closed)),
    resolution: Type.Optional(Type.Omit(DispatchOutcomeSchema, ['output'], closed)),
  },
  closed,
);
export type DispatchSummary = Wire<typeof DispatchSummarySchema>;

export const GetDispatchQuerySchema = Type.Object(
  { wait: Type.Optional(Type.Boolean({ description: 'answer when it has ended' })) },
  closed,
);

const givenTime = Type.String({
  pattern:
    '^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?Z$',
  description: 'RFC 3339 in UTC: 2026-01-31T08:00:00Z',
});

/** Several states are given as `?state=a&state=b`, several labels as `?label=a=1&label=b=2`. */
export const DispatchFilterSchema = Type.Object(
  {
    state: Type.Optional(Type.Array(dispatchState, { description: 'only these states' })),
    deviceId: Type.Optional(deviceId),
    capability: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    caller: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'who asked: `operator:local`' }),
    ),
    label: Type.Optional(
      Type.Array(Type.String({ pattern: '^[^=]{1,63}=.{0,256}$' }), {
        maxItems: mostGivenLabels,
        description: 'only what has all of these labels, each `name=value`',
      }),
    ),
    since: Type.Optional(givenTime),
    until: Type.Optional(givenTime),
    limit: pageLimit,
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: '`next` of the page before' }),
    ),
  },
  closed,
);

export const DispatchPageSchema = Type.Object(
  {
    dispatches: Type.Array(DispatchSummarySchema),
    next: pageNext,
  },
  closed,
);
export type DispatchPage = Wire<typeof DispatchPageSchema>;
