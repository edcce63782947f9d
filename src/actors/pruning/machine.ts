import { nothingYet } from '../sweeper.js';
import { pruningSetup } from './behaviour.js';
import { pruningSenders } from './events.js';

const looks = { actions: 'answer how it stands', description: 'It says how the last order stands' } as const;
const begins = {
  target: 'sweeping',
  description: 'It is time again for what the configuration says',
} as const;
const prunes = [
  {
    guard: 'may prune',
    target: 'sweeping',
    actions: 'take the order',
    description: 'It is carried out at once',
  },
  { actions: 'answer why not', meta: { refuses: true } },
] as const;

/**
 * Deletes what has ended: every hour what the configuration says, and at once what an operator orders. There is one sweep
 * at a time; an order that comes meanwhile waits for it, and one in the same words joins.
 */
export const pruningMachine = pruningSetup.createMachine({
  id: 'pruning',
  meta: { senders: pruningSenders },
  context: ({ input }) => ({
    ports: input.ports,
    run: 0,
    orders: 0,
    progress: nothingYet(),
    current: undefined,
    next: undefined,
    last: undefined,
  }),
  initial: 'beginning',
  states: {
    beginning: {
      description: 'It sweeps in a moment: a sweep before may have been cut off',
      entry: 'arm the first sweep',
      exit: 'disarm',
      on: { deadline: begins, prune: prunes, look: looks },
    },
    resting: {
      description: 'It waits for the next hour, or for an order',
      entry: 'arm the next sweep',
      exit: 'disarm',
      on: { deadline: begins, prune: prunes, look: looks },
    },
    sweeping: {
      description: 'It goes through what has ended, in small turns',
      entry: 'sweep',
      on: {
        swept: [
          {
            guard: 'is of this sweep, and another waits',
            target: 'sweeping',
            reenter: true,
            actions: ['note the end', 'take what waits'],
            description: 'It has ended, and the order that waits is carried out',
          },
          {
            guard: 'is of this sweep',
            target: 'resting',
            actions: 'note the end',
            description: 'It has ended',
          },
        ],
        failed: [
          {
            guard: 'is of this sweep, and another waits',
            target: 'sweeping',
            reenter: true,
            actions: ['note the failure', 'take what waits'],
            description: 'It has failed, and the order that waits is carried out',
          },
          {
            guard: 'is of this sweep',
            target: 'resting',
            actions: 'note the failure',
            description: 'It has failed: what is missing is done by the next one',
          },
        ],
        prune: [
          {
            guard: 'wants what is under way',
            actions: 'answer with what is under way',
            description: 'The same is under way: whoever asks joins it',
          },
          {
            guard: 'may wait',
            actions: 'have it wait',
            description: 'It is carried out after the sweep of this hour',
          },
          { actions: 'answer why not', meta: { refuses: true } },
        ],
        look: looks,
      },
    },
  },
});
