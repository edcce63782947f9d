import { Type } from 'typebox';
import { fanoutMemberStates, fanoutStates } from './fanout-states.js';
import {
  closed,
  givenKey,
  givenLabels,
  id,
  labels,
  milliseconds,
  note,
  pageNext,
  time,
  type Wire,
  words,
} from './primitives.js';

const planned = {
  selector: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'which nodes, such as `role=edge and not platform:win32`; exactly one of this and `all`',
    }),
  ),
  all: Type.Optional(Type.Boolean({ description: 'every node that is trusted' })),
  capability: Type.String({ minLength: 1, maxLength: 128 }),
  input: Type.Unknown({ description: 'fits the input schema of the capability' }),
  timeoutMs: Type.Optional(
    milliseconds('how long each handler may run; default: what the capability says', {
      minimum: 1,
      maximum: 86_400_000,
    }),
  ),
  limit: Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,5}%?$',
      description:
        'only the first of them, by name: a number, or a part such as `10%`, rounded down, one at least',
    }),
  ),
  expect: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'so many there must be, after the limit' }),
  ),
  queue: Type.Optional(
    Type.Boolean({ description: 'have those that are offline queued; without it they are skipped' }),
  ),
};

const count = (description: string) => Type.Integer({ minimum: 1, maximum: 1000, description });

export const PlanFanoutSchema = Type.Object(planned, closed);
export type PlanFanout = Wire<typeof PlanFanoutSchema>;

export const CreateFanoutSchema = Type.Object(
  {
    ...planned,
    batch: Type.Optional(count('how many may be under way at a time; default: all')),
    stopAfterFailures: Type.Optional(count('after so many failures no more are started')),
    targetsDigest: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: 'of the plan that was shown; refused when other nodes are meant by now',
      }),
    ),
    idempotencyKey: Type.Optional(
      givenKey('the same key and request give the same fan-out, as long as that is kept'),
    ),
    labels: Type.Optional(givenLabels),
  },
  closed,
);
export type CreateFanout = Wire<typeof CreateFanoutSchema>;

const targetError = Type.Object(
  { code: Type.String(), message: Type.String(), hint: Type.Optional(Type.String()) },
  closed,
);

const FanoutTargetSchema = Type.Object(
  {
    deviceId: Type.String(),
    name: Type.String(),
    presence: words(['online', 'late', 'offline'], 'late: 2 heartbeats missed; offline: 4, or no session'),
    verdict: words(
      ['run', 'queue', 'ask', 'skip', 'refuse'],
      'run; queue: waits for its node; ask: a person there is asked first; skip: offline; refuse: see the error',
    ),
    error: Type.Optional(targetError),
  },
  closed,
);
export type FanoutTarget = Wire<typeof FanoutTargetSchema>;

export const FanoutPlanSchema = Type.Object(
  {
    capability: Type.String(),
    matched: Type.Integer({ description: 'how many nodes the selector means, before the limit' }),
    targets: Type.Array(FanoutTargetSchema, { description: 'in the order in which they are started' }),
    targetsDigest: Type.String({ description: 'stands for exactly these targets' }),
  },
  closed,
);
export type FanoutPlan = Wire<typeof FanoutPlanSchema>;

const memberState = words(
  fanoutMemberStates,
  'starting: its dispatch is being made; started: it has one; skipped: offline; refused: see the error; else the end of its dispatch',
);

const FanoutMemberSchema = Type.Object(
  {
    deviceId: Type.String(),
    name: Type.String({ description: 'as it was called when the fan-out was made' }),
    state: memberState,
    dispatchId: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String({ description: 'why it ended so' })),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }, closed)),
    durationMs: Type.Optional(Type.Number({ description: 'how long the handler ran, in milliseconds' })),
    revision: Type.Integer({ description: 'the revision in which it changed last' }),
  },
  closed,
);
export type FanoutMember = Wire<typeof FanoutMemberSchema>;

const FanoutStepSchema = Type.Object(
  {
    at: time('when'),
    to: words(fanoutStates, 'the next state'),
    event: Type.String({ description: 'the event that led to it' }),
    by: Type.String({ description: 'who caused it' }),
    note: Type.Optional(Type.String()),
  },
  closed,
);

export const FanoutSchema = Type.Object(
  {
    id: id('fo'),
    version: Type.Integer(),
    state: words(
      fanoutStates,
      'partly_failed: some targets succeeded; failed: none did; stopped: after too many failures',
    ),
    revision: Type.Integer({
      description: 'grows with each change; give it as `after` to wait for the next',
    }),
    selector: Type.String({ description: 'what the targets were chosen by; empty for every node' }),
    capability: Type.String(),
    caller: Type.String(),
    labels,
    timeoutMs: Type.Optional(Type.Integer({ description: 'how long each handler may run, in milliseconds' })),
    queue: Type.Boolean(),
    batch: Type.Integer({ description: 'how many targets may be under way at a time' }),
    stopAfterFailures: Type.Optional(Type.Integer()),
    members: Type.Array(FanoutMemberSchema, {
      description:
        'the targets in the order of their start; with `after`, those that changed; none in a list',
    }),
    counts: Type.Record(Type.String(), Type.Integer(), { description: 'how many targets are in each state' }),
    createdAt: time('when it was made'),
    updatedAt: time('when it changed last'),
    finishedAt: Type.Optional(time('when it ended')),
    cancelRequestedBy: Type.Optional(Type.String()),
    steps: Type.Array(FanoutStepSchema),
  },
  closed,
);
export type Fanout = Wire<typeof FanoutSchema>;

/** What of a fan-out is wanted: its changes since a revision, and how long to wait for one. */
export const FanoutSinceSchema = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'only targets that changed after this revision' }),
    ),
    wait: Type.Optional(
      milliseconds('how long to wait for a change after that revision', { minimum: 0, maximum: 30_000 }),
    ),
  },
  closed,
);

/** Several states are given as `?state=a&state=b`. */
export const FanoutFilterSchema = Type.Object(
  {
    state: Type.Optional(
      Type.Array(words(fanoutStates, 'where it is'), { description: 'only these states' }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'at most so many; default 20' }),
    ),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: '`next` of the page before' }),
    ),
  },
  closed,
);

export const FanoutPageSchema = Type.Object({ fanouts: Type.Array(FanoutSchema), next: pageNext }, closed);
export type FanoutPage = Wire<typeof FanoutPageSchema>;

export const CancelFanoutSchema = Type.Object({ reason: Type.Optional(note('why')) }, closed);
