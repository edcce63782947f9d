import { assign, setup } from 'xstate';
import type { Kernel } from '../../src/kernel/index.js';

type IdleEvent = { type: 'count' } | { type: 'kernel.shutdown' };

/** The least that waits: one deadline, an event that it counts, and an end when it is asked to. */
export function idleMachine({ deadlines }: Kernel) {
  return setup({
    types: {
      context: {} as { n: number; record: object },
      events: {} as IdleEvent,
      input: {} as object,
    },
    actions: {
      'arm deadline': ({ self }) => {
        deadlines.set(self, 3_600_000, () => self.send({ type: 'kernel.shutdown' }));
      },
      disarm: ({ self }) => deadlines.release(self),
      count: assign({ n: ({ context }) => context.n + 1 }),
    },
  }).createMachine({
    id: 'idle',
    context: ({ input }) => ({ n: 0, record: input }),
    initial: 'waiting',
    states: {
      waiting: {
        entry: 'arm deadline',
        exit: 'disarm',
        on: { count: { actions: 'count' }, 'kernel.shutdown': 'ended' },
      },
      ended: { type: 'final' },
    },
  });
}

export interface LifeRecord {
  readonly id: string;
  readonly state: string;
  readonly at: number;
}

type LifeEvent =
  | { type: 'delivered'; at: number }
  | { type: 'started'; at: number }
  | { type: 'result'; at: number; ok: boolean };

/** The three events of the shortest good life. */
export const lifeEvents: readonly LifeEvent[] = [
  { type: 'delivered', at: 1 },
  { type: 'started', at: 2 },
  { type: 'result', at: 3, ok: true },
];

const nothing = (): void => {};

/**
 * The shape of a dispatch: the states, guards and actions that it passes from its creation to its result, with a small
 * record and without the outside, so that what is measured is the cost of running it.
 */
export const lifeMachine = setup({
  types: {
    context: {} as { record: LifeRecord; fresh: boolean; outcome: string | undefined },
    events: {} as LifeEvent,
    input: {} as { record: LifeRecord; fresh: boolean },
  },
  guards: {
    'is fresh': ({ context }) => context.fresh,
    'was never sent': ({ context }) => context.record.at === 0,
    failed: ({ context }) => context.outcome === 'failed',
    succeeded: ({ context }) => context.outcome === 'succeeded',
  },
  actions: {
    arm: nothing,
    disarm: nothing,
    offer: nothing,
    changed: nothing,
    ended: nothing,
    'note delivery': assign(({ context, event }) => ({
      record: { ...context.record, state: 'dispatched', at: event.at },
    })),
    'note running': assign(({ context, event }) => ({
      record: { ...context.record, state: 'running', at: event.at },
    })),
    'take the result': assign(({ event }) => ({
      outcome: event.type === 'result' && event.ok ? 'succeeded' : 'failed',
    })),
    'write the end': assign(({ context, event }) => ({
      record: { ...context.record, state: context.outcome ?? 'failed', at: event.at },
    })),
  },
}).createMachine({
  id: 'life',
  context: ({ input }) => ({ ...input, outcome: undefined }),
  initial: 'resume',
  states: {
    resume: {
      always: [
        { guard: 'is fresh', target: 'offered' },
        { guard: 'was never sent', target: 'queued' },
      ],
    },
    queued: { entry: 'arm', exit: 'disarm' },
    offered: {
      entry: ['arm', 'offer'],
      exit: 'disarm',
      on: { delivered: { target: 'dispatched', actions: ['note delivery', 'changed'] } },
    },
    dispatched: {
      entry: 'arm',
      exit: 'disarm',
      on: { started: { target: 'running', actions: ['note running', 'changed'] } },
    },
    running: {
      entry: 'arm',
      exit: 'disarm',
      on: { result: { target: 'ending', actions: 'take the result' } },
    },
    ending: {
      entry: 'write the end',
      always: [
        { guard: 'failed', target: 'failed' },
        { guard: 'succeeded', target: 'succeeded' },
      ],
    },
    failed: { type: 'final', entry: 'ended' },
    succeeded: { type: 'final', entry: 'ended' },
  },
});
