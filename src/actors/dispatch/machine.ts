import { assign, setup } from 'xstate';
import { callerLabel, permits } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import type { NodeResult } from '../link/frames.js';
import { type DispatchEvent, dispatchSenders } from './events.js';
import type { DispatchOutcome, DispatchRecord, DispatchState } from './record.js';
import { type DispatchNote, note, step } from './steps.js';

/** What a dispatch asks of the outside. */
export interface DispatchPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** Gives it to the node's session; false when there is none. */
  offer(record: DispatchRecord): boolean;
  /** Takes it back from the session's queue; nothing happens when it was sent. */
  withdraw(record: DispatchRecord): void;
  /** Carries the wish to end it to the node, if there is a session; it is repeated with each new one. */
  cancelAtNode(record: DispatchRecord, reason: string): void;
  /** What a node's result means: its output is checked here. */
  judge(record: DispatchRecord, result: NodeResult): DispatchOutcome;
  /** Writes it, on disk, and sends `recorded`. */
  recordFirst(record: DispatchRecord, done: () => void): void;
  /** Something changed that may be written with the next commit. */
  changed(record: DispatchRecord): void;
  /** It has ended: to be written, then told. */
  ended(record: DispatchRecord): void;
}

export interface DispatchInput {
  readonly ports: DispatchPorts;
  readonly record: DispatchRecord;
  /** It was created in this process a moment ago, and its record says truly whether it may be sent. */
  readonly fresh: boolean;
}

interface DispatchContext extends DispatchInput {
  readonly outcome: DispatchOutcome | undefined;
}

/** How long the daemon waits for the node's word after the latest end, milliseconds (protocol.md 21). */
export const settleLimitMs = 24 * 3_600_000;

/** What a new session's word means for work that was, or may have been, sent. */
const settled = [
  {
    guard: 'has started',
    target: 'running',
    actions: ['note running', 'changed'],
    description: 'The node is back and says that it runs',
  },
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
} as const;

/**
 * The life of one dispatch, from its record to a terminal state that tells the truth: what may have reached the node ends
 * on the node's word, or as `outcome_unknown`; what certainly did not ends as `expired` or `cancelled`.
 *
 * Flat and without invocations, so that it can be compiled to a table. The record says where a restarted actor goes on.
 */
export const dispatchMachine = setup({
  types: {
    context: {} as DispatchContext,
    events: {} as DispatchEvent,
    input: {} as DispatchInput,
    meta: {} as MachineMeta,
  },
  guards: {
    'may cancel': ({ event }) => mayCancel(event),
    'may cancel what was never delivered': ({ context, event }) =>
      mayCancel(event) && wasNeverDelivered(context.record),
    'is fresh and sendable': ({ context }) => context.fresh && isSendable(context.record),
    'was never sent': ({ context }) => context.record.sentInEpoch === 0,
    'was running': ({ context }) => context.record.state === 'running',
    'was mediated': ({ context }) => context.record.state === 'awaiting_local_mediation',
    'was never delivered': ({ context }) => wasNeverDelivered(context.record),
    'may be sent again': ({ context, event }) =>
      event.type === 'settle' &&
      event.phase === 'none' &&
      (context.record.repeatable || (event.ticketMatches && context.record.state !== 'running')) &&
      isWanted(context),
    'is lost': ({ context, event }) =>
      event.type === 'settle' &&
      (event.phase === 'none' || event.phase === 'cancelled') &&
      !context.record.repeatable &&
      (!event.ticketMatches || context.record.state === 'running'),
    // The wish went out and this daemon died before it was on its disk: the node remembers.
    'was cancelled at the node': ({ event }) => event.type === 'settle' && event.phase === 'cancelled',
    'is wanted no more': ({ context }) => !isWanted(context),
    'has started': ({ context, event }) =>
      event.type === 'settle' && event.phase === 'started' && context.record.state !== 'running',
    'the person is asked': ({ event }) => event.type === 'mediation' && event.waiting,
    'the node does not know it': ({ event }) =>
      event.type === 'cancel.outcome' && event.outcome === 'not_known',
    'is past its settle limit': ({ context }) =>
      context.ports.clock.now() >= context.record.latestEnd + settleLimitMs,
    succeeded: ({ context }) => context.outcome?.state === 'succeeded',
    failed: ({ context }) => context.outcome?.state === 'failed',
    rejected: ({ context }) => context.outcome?.state === 'rejected',
    'timed out': ({ context }) => context.outcome?.state === 'timed_out',
    cancelled: ({ context }) => context.outcome?.state === 'cancelled',
    expired: ({ context }) => context.outcome?.state === 'expired',
  },
  actions: {
    offer: ({ context, self }) => {
      if (!context.ports.offer(context.record)) self.send({ type: 'session.lost' });
    },
    withdraw: ({ context }) => context.ports.withdraw(context.record),
    'arm deliver-by': ({ context, self }) => arm(context, self, context.record.deliverBy, 'deliver by'),
    'arm latest end': ({ context, self }) => arm(context, self, context.record.latestEnd, 'latest end'),
    'arm settle limit': ({ context, self }) =>
      arm(context, self, context.record.latestEnd + settleLimitMs, 'settle limit'),
    disarm: ({ context, self }) => context.ports.deadlines.release(self),
    'mark for the session': assign(({ context, event }) =>
      event.type === 'settle' ? { record: { ...context.record, sentInEpoch: event.epoch } } : {},
    ),
    'record first': ({ context, self }) =>
      context.ports.recordFirst(context.record, () => self.send({ type: 'recorded' })),
    'note delivery': assign(({ context, event }) => {
      const at = event.type === 'delivered' ? event.at : context.ports.clock.now();
      const record = step(context.record, 'dispatched', at, causedBy(event, context.record));
      return { record: { ...record, deliveredAt: context.record.deliveredAt ?? at } };
    }),
    'note dispatched': assign(({ context, event }) => ({ record: stepNow(context, event, 'dispatched') })),
    'note running': assign(({ context, event }) => ({ record: stepNow(context, event, 'running') })),
    'note mediation': assign(({ context, event }) => ({
      record: stepNow(context, event, 'awaiting_local_mediation'),
    })),
    'note resending': assign(({ context, event }) => ({
      record: {
        ...noteNow(context, event, 'resent'),
        ...(event.type === 'settle' ? { sentInEpoch: event.epoch } : {}),
      },
    })),
    'note the wish': assign(({ context, event }) => {
      if (event.type !== 'cancel') return {};
      const record = noteNow(context, event, 'cancel_requested');
      return { record: { ...record, cancelRequestedBy: callerLabel(event.caller) } };
    }),
    'tell the node to stop': ({ context, event }) => {
      const { ports, record } = context;
      const why = record.cancelRequestedBy === undefined ? 'deadline' : 'operator';
      ports.cancelAtNode(record, event.type === 'cancel' ? event.reason : why);
    },
    'take the result': assign(({ context, event }) => {
      if (event.type !== 'result') return {};
      const outcome = context.ports.judge(context.record, event.result);
      // Stopped because the daemon asked for it at the latest end, and nobody else did.
      const isLate = context.record.cancelRequestedBy === undefined && !isWanted(context);
      return {
        outcome: outcome.state === 'cancelled' && isLate ? { ...outcome, state: 'timed_out' } : outcome,
      };
    }),
    'conclude cancelled': assign(({ event }): { outcome: DispatchOutcome } => ({
      outcome: {
        state: 'cancelled',
        reason: event.type === 'cancel' && event.reason !== '' ? event.reason : 'operator',
        started: false,
      },
    })),
    'conclude stopped': assign(({ context }) => ({
      outcome: stopped(context.record, context.record.cancelRequestedBy !== undefined),
    })),
    'conclude cancelled there': assign(({ context }) => ({
      outcome:
        context.record.state === 'running'
          ? { state: 'outcome_unknown' as const, reason: 'unsettled' }
          : stopped(context.record, context.record.cancelRequestedBy !== undefined || isWanted(context)),
    })),
    'conclude expired': assign((): { outcome: DispatchOutcome } => ({
      outcome: { state: 'expired', started: false },
    })),
    'conclude lost': assign((): { outcome: DispatchOutcome } => ({
      outcome: { state: 'outcome_unknown', reason: 'lost' },
    })),
    'conclude unsettled': assign((): { outcome: DispatchOutcome } => ({
      outcome: { state: 'outcome_unknown', reason: 'unsettled' },
    })),
    'write the end': assign(({ context, event }) => {
      const outcome = context.outcome as DispatchOutcome;
      const at = context.ports.clock.now();
      const cause = causedBy(event, context.record, outcome.reason);
      return { record: { ...step(context.record, outcome.state, at, cause), finishedAt: at, outcome } };
    }),
    changed: ({ context }) => context.ports.changed(context.record),
    ended: ({ context }) => context.ports.ended(context.record),
  },
}).createMachine({
  id: 'dispatch',
  meta: { senders: dispatchSenders },
  context: ({ input }) => ({ ...input, outcome: undefined }),
  initial: 'resume',
  states: {
    resume: {
      description: 'Goes where the record says',
      always: [
        { guard: 'is fresh and sendable', target: 'offered' },
        { guard: 'was never sent', target: 'queued' },
        { guard: 'was running', target: 'running' },
        { guard: 'was mediated', target: 'awaiting_local_mediation' },
        { target: 'dispatched' },
      ],
    },
    // Certainly never sent: no session, or not on disk yet.
    queued: {
      description: 'It waits for its node to connect',
      entry: 'arm deliver-by',
      exit: 'disarm',
      on: {
        ...endedHere,
        settle: {
          target: 'marking',
          actions: 'mark for the session',
          description: 'The node is connected: it goes out once that is on disk',
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
            description: 'The node is gone before it went out: it waits for the next session',
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
        ...endedByNode,
        settle: settled,
        started: {
          target: 'running',
          actions: ['note running', 'changed'],
          description: 'The handler runs',
        },
        mediation: {
          guard: 'the person is asked',
          target: 'awaiting_local_mediation',
          actions: ['note mediation', 'changed'],
          description: 'A person at the node is being asked',
        },
        'cancel.outcome': {
          guard: 'the node does not know it',
          target: 'ending',
          actions: 'conclude stopped',
          description: 'The node never had it: it ends as cancelled or timed_out',
        },
      },
    },
    awaiting_local_mediation: {
      description: 'A person at the node is asked whether it may run',
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...endedByNode,
        settle: settled,
        started: {
          target: 'running',
          actions: ['note running', 'changed'],
          description: 'The handler runs',
        },
        mediation: {
          target: 'dispatched',
          actions: ['note dispatched', 'changed'],
          description: 'The person has answered',
        },
        'cancel.outcome': {
          guard: 'the node does not know it',
          target: 'ending',
          actions: 'conclude stopped',
          description: 'The node never had it: it ends as cancelled or timed_out',
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
        'cancel.outcome': {
          guard: 'the node does not know it',
          target: 'ending',
          actions: 'conclude unsettled',
          description: 'The node has forgotten what it had started: outcome_unknown',
        },
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

/** Protocol.md 18: repeatable work may go before its commit; other work is sendable once its record says "sent". */
function isSendable(record: DispatchRecord): boolean {
  return record.sentInEpoch > 0;
}

/** Whether it certainly never left this daemon. */
function wasNeverDelivered(record: DispatchRecord): boolean {
  return (
    record.deliveredAt === undefined &&
    !record.steps.some((entry) => entry.to === 'resent' || entry.to === 'dispatched')
  );
}

/** The end of work that the node never took, or has forgotten: only of what may be repeated it forgets anything. */
function stopped(record: DispatchRecord, wished: boolean): DispatchOutcome {
  return {
    ...(wished ? { state: 'cancelled', reason: 'operator' } : { state: 'timed_out', reason: 'deadline' }),
    ...(record.repeatable ? {} : { started: false }),
  };
}

function isWanted({ ports, record }: DispatchContext): boolean {
  return record.cancelRequestedBy === undefined && ports.clock.now() < record.latestEnd;
}

function arm(
  context: DispatchContext,
  self: { send(event: DispatchEvent): void },
  at: number,
  label: string,
): void {
  const { deadlines, clock } = context.ports;
  deadlines.release(self);
  deadlines.sendAfter(self, Math.max(0, at - clock.now()), { type: 'deadline' }, { label });
}

function mayCancel(event: DispatchEvent): boolean {
  return event.type === 'cancel' && permits(dispatchSenders.cancel, event.caller);
}

const saidByNode: ReadonlySet<DispatchEvent['type']> = new Set([
  'started',
  'mediation',
  'result',
  'cancel.outcome',
  'settle',
]);

/** Who an event is from: its caller, the node whose session hands it on, or this daemon. */
function causedBy(event: DispatchEvent, record: DispatchRecord, reason?: string): Cause {
  const sender = saidByNode.has(event.type) ? `device:${record.deviceId}` : 'system:daemon';
  return causeOf(event, sender, event.type === 'cancel' ? event.reason : reason);
}

function stepNow(context: DispatchContext, event: DispatchEvent, to: DispatchState): DispatchRecord {
  return step(context.record, to, context.ports.clock.now(), causedBy(event, context.record));
}

function noteNow(context: DispatchContext, event: DispatchEvent, what: DispatchNote): DispatchRecord {
  return note(context.record, what, context.ports.clock.now(), causedBy(event, context.record));
}
