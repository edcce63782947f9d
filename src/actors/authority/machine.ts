import { authoritySetup } from './behaviour.js';
import { authoritySenders } from './events.js';

const refuses = { refuses: true } as const;
const refusedWithReason = { actions: 'answer why it may not', meta: refuses } as const;
const refusedAsBusy = { actions: 'answer that it is busy', meta: refuses } as const;

/** While a step is on its way to the disk. */
const underWay = {
  failed: [
    {
      guard: 'somebody waits',
      target: 'resume',
      actions: 'answer that it failed',
      description: 'Nothing has changed, and whoever asked is told why',
    },
    { guard: 'is of this step', target: 'retrying', description: 'It is tried again' },
  ],
  rotate: refusedAsBusy,
  forget: refusedAsBusy,
} as const;
const forgets = [
  {
    guard: 'may do so',
    target: 'saving',
    actions: 'intend to forget',
    description: 'A retired CA is deleted: nodes that know no other have to pair again',
  },
  refusedWithReason,
] as const;
const closes = {
  guard: 'is over',
  target: 'saving',
  actions: 'intend the end of the overlap',
  description: 'All nodes have moved to the new CA, or the time is over: the old one is retired',
} as const;

/**
 * The daemon's certificate authorities, and the way from one to the next. The new one is on disk before it is in the record,
 * and in the record before anything is issued by it; the old one is trusted until every node has moved or the overlap is over.
 * So a daemon that dies at any step goes on where the record says, and no node is left without a CA that it knows.
 */
export const authorityMachine = authoritySetup.createMachine({
  id: 'authority',
  meta: { senders: authoritySenders },
  context: ({ input }) => ({ ...input, step: 0, intent: undefined }),
  initial: 'resume',
  states: {
    resume: {
      description: 'Goes where the record says',
      always: [
        { guard: 'is in overlap', target: 'overlap', description: 'Nodes move to the new CA' },
        { target: 'steady', description: 'There is one CA that counts' },
      ],
    },
    steady: {
      description: 'One CA issues and is trusted',
      entry: 'look again later',
      on: {
        rotate: [
          {
            guard: 'may do so',
            target: 'making',
            actions: 'intend to rotate',
            description: 'A new CA is made',
          },
          refusedWithReason,
        ],
        forget: forgets,
        deadline: [
          {
            guard: 'is due',
            target: 'making',
            actions: 'intend to rotate',
            description: 'Five sixths of its life are over: a new CA is made',
          },
          { actions: 'look again later', description: 'It is not due yet' },
        ],
      },
    },
    overlap: {
      description: 'The new CA issues; both are trusted, until every node uses a certificate of the new one',
      entry: 'look again later',
      on: {
        rotate: { actions: 'answer that a rotation is under way', meta: refuses },
        forget: forgets,
        'device.moved': closes,
        deadline: [
          closes,
          { actions: 'look again later', description: 'Some nodes have not moved, and there is time' },
        ],
      },
    },
    making: {
      description: 'Key and certificate of a new CA are made and written to disk',
      entry: 'make',
      on: {
        made: {
          guard: 'is of this step',
          target: 'saving',
          actions: 'intend the overlap',
          description: 'They are on disk',
        },
        ...underWay,
      },
    },
    saving: {
      description: 'The change is on its way to the disk; nothing is done by it before it is there',
      entry: 'save',
      on: {
        saved: {
          guard: 'is of this step',
          target: 'resume',
          actions: 'do as it says',
          description: 'It is on disk: what is issued, trusted and served follows',
        },
        ...underWay,
      },
    },
    retrying: {
      description: 'What the daemon wanted by itself has failed: it waits a minute',
      entry: 'wait before the next attempt',
      on: {
        deadline: { target: 'resume', description: 'It looks again what there is to do' },
        rotate: refusedAsBusy,
        forget: refusedAsBusy,
      },
    },
  },
});
