import { Type } from 'typebox';
import { terminalDispatchStates } from './dispatch-states.js';
import { ErrorEnvelopeSchema } from './error.js';
import { closed, milliseconds, time, type Wire, words } from './primitives.js';

export const pruneJobStates = ['waiting', 'running', 'done', 'failed'] as const;

const criteria = {
  olderThanMs: Type.Optional(milliseconds('only what ended longer ago', { minimum: 0 })),
  keep: Type.Optional(
    Type.Integer({ minimum: 0, description: 'keep so many, those created last; delete the others' }),
  ),
  states: Type.Optional(
    Type.Array(words(terminalDispatchStates, 'how it ended'), {
      minItems: 1,
      maxItems: terminalDispatchStates.length,
      description: 'only what ended like this',
    }),
  ),
};

/** Without any of age, number and states: what the configuration says. With age and number, what is too old or too much. */
export const PruneOrderSchema = Type.Object(
  { ...criteria, dryRun: Type.Optional(Type.Boolean({ description: 'only count' })) },
  closed,
);
export type PruneOrder = Wire<typeof PruneOrderSchema>;

export const PruneJobSchema = Type.Object(
  {
    ...criteria,
    dryRun: Type.Boolean(),
    number: Type.Integer({ description: 'counts the orders since the daemon started' }),
    state: words(pruneJobStates, 'how it stands'),
    by: Type.String({ description: 'who ordered it' }),
    createdAt: time('when it was ordered'),
    finishedAt: Type.Optional(time('when it ended')),
    looked: Type.Integer({ description: 'how many that have ended were looked at' }),
    matched: Type.Integer({ description: 'how many of them are meant' }),
    pruned: Type.Integer({ description: 'how many were deleted' }),
    spared: Type.Integer({
      description:
        'how many are meant and were kept, since their node may still tell how they ended, or the fan-out that made them goes on',
    }),
    error: Type.Optional(ErrorEnvelopeSchema),
  },
  closed,
);
export type PruneJob = Wire<typeof PruneJobSchema>;

export const PruningSchema = Type.Object(
  { job: Type.Optional(PruneJobSchema) },
  {
    ...closed,
    description: 'the order that was given last; absent when there was none since the daemon started',
  },
);
export type Pruning = Wire<typeof PruningSchema>;
