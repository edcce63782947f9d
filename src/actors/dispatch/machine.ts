import { dispatchSetup } from './behaviour.js';
import { dispatchSenders } from './events.js';

/** What a new session's word means for work that was sent. */
const settled = [
  {
    guard: 'may be sent again',
    target: 'offered',
    actions: ['note resending', 'changed'],
    description: 'The node is back, never received it, and gets it again',
  },
  {
    guard: 'is lost',
    target: 'ending',
    actions: 'conclude lost',
    description: 'The node is back and nobody knows what became of it: outcome_unknown',
  },
  {
    guard: 'was cancelled at the node',
    target: 'ending',
    actions: 'conclude cancelled there',
    description: 'The node is back and had been told to stop it',
  },
  {
    guard: 'is wanted no more',
    actions: 'tell the node to stop',
    description: 'The node is back and learns that it is wanted no more',
  },
] as const;

/** The same, where the handler may have started meanwhile. */
const settledOrStarted = [
  {
    guard: 'has started',
    target: 'running',
    actions: ['note running', 'changed'],
    description: 'The node is back and says that it runs',
  },
  ...settled,
] as const;

/** The device was shut out after it may have had the work. */
const barredLate = {
  guard: 'the device is barred',
  target: 'ending',
  actions: 'conclude barred',
  description: 'Its device was shut out, and nobody knows how far it came: outcome_unknown',
} as const;

/** The node has been told to stop it and answers that it does. */
const stopping = {
  guard: 'the node is stopping it',
  actions: ['note that it is stopping', 'changed'],
  description: 'The node says that it stops it; how it ends follows',
} as const;

/** What ends work that was, or may have been, sent: the wish goes to the node, the end comes on the node's word. */
const endedByNode = {
  result: {
    target: 'ending',
    actions: 'take the result',
    description: 'The node says how it ended',
  },
  cancel: {
    guard: 'may cancel',
    actions: ['note the wish', 'changed', 'tell the node to stop'],
    description: 'The node is told to stop it and says how it ended',
  },
  'device.barred': barredLate,
  deadline: [
    {
      guard: 'is past its settle limit',
      target: 'ending',
      actions: 'conclude unsettled',
      description: 'The node has said nothing for a day: outcome_unknown',
    },
    {
      actions: ['tell the node to stop', 'arm settle limit'],
      description: 'The node is told to stop it, now or when it is back',
    },
  ],
} as const;

/** What the node may say while the handler does not run yet. */
const beforeItRuns = {
  ...endedByNode,
  settle: settledOrStarted,
  started: {
    target: 'running',
    actions: ['note running', 'changed'],
    description: 'The handler runs',
  },
  'cancel.outcome': [
    {
      guard: 'the node does not know it',
      target: 'ending',
      actions: 'conclude stopped',
      description: 'The node never had it: it ends as cancelled or timed_out',
    },
    stopping,
  ],
} as const;

/** What ends work that certainly never left this daemon. */
const endedHere = {
  cancel: {
    guard: 'may cancel',
    target: 'ending',
    actions: ['note the wish', 'conclude cancelled'],
    description: 'It ends as cancelled: the node never got it',
  },
  deadline: {
    target: 'ending',
    actions: 'conclude expired',
    description: 'It ends as expired: it was not delivered in time',
  },
  'device.barred': {
    guard: 'the device is barred',
    target: 'ending',
    actions: 'conclude barred before it was sent',
    description: 'Its device was shut out: it ends as cancelled, since the node never got it',
  },
} as const;

/**
 * The life of one dispatch, from its record to a terminal state that tells the truth: what may have reached the node ends
 * on the node's word, or as `outcome_unknown`; what certainly did not ends as `expired` or `cancelled`.
 *
 * Flat and without invocations, so that it can be compiled to a table. The record says where a restarted actor goes on.
 */
export const dispatchMachine = dispatchSetup.createMachine({
  id: 'dispatch',
  meta: { senders: dispatchSenders },
  context: ({ input }) => ({ ...input, outcome: undefined, barredBy: undefined }),
  initial: 'resume',
  states: {
    resume: {
      description: 'Goes where the record says',
      always: [
        {
          guard: 'the device is barred before it was sent',
          target: 'ending',
          actions: 'conclude barred before it was sent',
        },
        { guard: 'the device is barred', target: 'ending', actions: 'conclude barred' },
        { guard: 'is fresh and sendable', target: 'offered' },
        { guard: 'was never sent', target: 'queued' },
        { guard: 'was running', target: 'running' },
        { guard: 'was mediated', target: 'awaiting_local_mediation' },
        { target: 'dispatched' },
      ],
    },
    // Certainly never sent: no session, or not on disk yet.
    queued: {
      description: 'It waits for its node to connect, or for what that offers to be approved',
      entry: 'arm deliver-by',
      exit: 'disarm',
      on: {
        ...endedHere,
        settle: {
          guard: 'may run there',
          target: 'marking',
          actions: 'mark for the session',
          description: 'The node is connected, or more may run there: it goes out once that is on disk',
        },
      },
    },
    // Goes out only after its record says that it may have been sent: or a daemon that dies in between would say of work
    // that ran, if it may be repeated or not, that it was never started.
    marking: {
      description: 'It is being written that it may have been sent; then it goes out',
      entry: ['record first', 'arm deliver-by'],
      exit: 'disarm',
      on: {
        ...endedHere,
        recorded: { target: 'offered', description: 'It is on disk and goes to the session' },
      },
    },
    // In the session's queue, waiting for credit.
    offered: {
      description: 'It is in the queue of the session, behind what the node has not finished yet',
      entry: ['arm deliver-by', 'offer'],
      exit: 'disarm',
      on: {
        delivered: {
          target: 'dispatched',
          actions: ['note delivery', 'changed'],
          description: 'It is written to the stream',
        },
        'session.lost': [
          {
            guard: 'was never delivered',
            target: 'queued',
            actions: ['note that it never left', 'changed'],
            description:
              'It could not go out: its node is gone, or offers a build that is not approved; it waits',
          },
          {
            target: 'dispatched',
            actions: ['note dispatched', 'changed'],
            description: 'The node is gone, and an earlier session had sent it',
          },
        ],
        cancel: [
          {
            guard: 'may cancel what was never delivered',
            target: 'ending',
            actions: ['withdraw', 'note the wish', 'conclude cancelled'],
            description: 'It ends as cancelled: the node never got it',
          },
          {
            guard: 'may cancel',
            target: 'dispatched',
            actions: ['withdraw', 'note the wish', 'note dispatched', 'changed', 'tell the node to stop'],
            description: 'An earlier session had sent it: the node is told to stop it',
          },
        ],
        'device.barred': [
          {
            guard: 'the device is barred before it was delivered',
            target: 'ending',
            actions: ['withdraw', 'conclude barred before it was sent'],
            description: 'Its device was shut out: it ends as cancelled, since the node never got it',
          },
          { ...barredLate, actions: ['withdraw', 'conclude barred'] },
        ],
        deadline: [
          {
            guard: 'was never delivered',
            target: 'ending',
            actions: ['withdraw', 'conclude expired'],
            description: 'It ends as expired: it was not delivered in time',
          },
          {
            target: 'dispatched',
            actions: ['withdraw', 'note dispatched', 'changed', 'tell the node to stop'],
            description: 'An earlier session had sent it: the node is told to stop it',
          },
        ],
      },
    },
    // Sent, or perhaps sent: from here on the node's word counts.
    dispatched: {
      description: 'The node has it, or may have it; from here on the word of the node counts',
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...beforeItRuns,
        mediation: {
          guard: 'the person is asked',
          target: 'awaiting_local_mediation',
          actions: ['note mediation', 'changed'],
          description: 'A person at the node is being asked',
        },
      },
    },
    awaiting_local_mediation: {
      description: 'A person at the node is asked whether it may run',
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...beforeItRuns,
        mediation: {
          guard: 'the person has answered',
          target: 'dispatched',
          actions: ['note dispatched', 'changed'],
          description: 'The person has answered',
        },
      },
    },
    running: {
      description: 'The handler runs on the node',
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...endedByNode,
        settle: settled,
        'cancel.outcome': [
          {
            guard: 'the node does not know it',
            target: 'ending',
            actions: 'conclude unsettled',
            description: 'The node has forgotten what it had started: outcome_unknown',
          },
          stopping,
        ],
      },
    },
    ending: {
      description: 'How it ended is written down',
      entry: 'write the end',
      always: [
        { guard: 'succeeded', target: 'succeeded' },
        { guard: 'failed', target: 'failed' },
        { guard: 'rejected', target: 'rejected' },
        { guard: 'timed out', target: 'timed_out' },
        { guard: 'cancelled', target: 'cancelled' },
        { guard: 'expired', target: 'expired' },
        { target: 'outcome_unknown' },
      ],
    },
    succeeded: { type: 'final', entry: 'ended', description: 'The handler ended well' },
    failed: { type: 'final', entry: 'ended', description: 'The handler failed, or could not be run' },
    rejected: { type: 'final', entry: 'ended', description: 'The node refused to run it' },
    timed_out: { type: 'final', entry: 'ended', description: 'The node ended it at its deadline' },
    cancelled: { type: 'final', entry: 'ended', description: 'It was cancelled' },
    expired: { type: 'final', entry: 'ended', description: 'It was never delivered' },
    outcome_unknown: {
      type: 'final',
      entry: 'ended',
      description: 'It was delivered, and nobody knows how it ended; a later result is attached to it',
    },
  },
});
