import { assign, setup } from 'xstate';
import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { CancelOutcome, InFlightPhase, NodeResult } from '../link/frames.js';
import type { DispatchOutcome, DispatchRecord, DispatchState, DispatchStep } from './record.js';

/** What the node knew of a dispatch when its session opened; `none` when Hello did not name it. */
export type SettlePhase = InFlightPhase | 'none';

/** Events of a dispatch. Those of the node come from its current session only. */
export type DispatchEvent =
  | { type: 'settle'; epoch: number; phase: SettlePhase; ticketMatches: boolean }
  | { type: 'recorded' }
  | { type: 'delivered'; at: number }
  | { type: 'session.lost' }
  | { type: 'started' }
  | { type: 'mediation'; waiting: boolean }
  | { type: 'result'; result: NodeResult }
  | { type: 'cancel'; caller: VerifiedCaller; reason: string }
  | { type: 'cancel.outcome'; outcome: CancelOutcome['outcome'] }
  | { type: 'deadline' };

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
  { guard: 'has started', target: 'running', actions: ['note running', 'changed'] },
  { guard: 'may be sent again', target: 'offered', actions: ['note resending', 'changed'] },
  { guard: 'is lost', target: 'ending', actions: 'conclude lost' },
  { guard: 'was cancelled at the node', target: 'ending', actions: 'conclude cancelled there' },
  { guard: 'is wanted no more', actions: 'tell the node to stop' },
] as const;

/** What ends work that was, or may have been, sent: the wish goes to the node, the end comes on the node's word. */
const endedByNode = {
  result: { target: 'ending', actions: 'take the result' },
  cancel: { actions: ['note the wish', 'changed', 'tell the node to stop'] },
  deadline: [
    { guard: 'is past its settle limit', target: 'ending', actions: 'conclude unsettled' },
    { actions: ['tell the node to stop', 'arm settle limit'] },
  ],
} as const;

/**
 * The life of one dispatch, from its record to a terminal state that tells the truth: what may have reached the node ends
 * on the node's word, or as `outcome_unknown`; what certainly did not ends as `expired` or `cancelled`.
 *
 * Flat and without invocations, so that it can be compiled to a table. The record says where a restarted actor goes on.
 */
export const dispatchMachine = setup({
  types: { context: {} as DispatchContext, events: {} as DispatchEvent, input: {} as DispatchInput },
  guards: {
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
    'arm deliver-by': ({ context, self }) => arm(context, self, context.record.deliverBy),
    'arm latest end': ({ context, self }) => arm(context, self, context.record.latestEnd),
    'arm settle limit': ({ context, self }) => arm(context, self, context.record.latestEnd + settleLimitMs),
    disarm: ({ context, self }) => context.ports.deadlines.release(self),
    'mark for the session': assign(({ context, event }) =>
      event.type === 'settle' ? { record: { ...context.record, sentInEpoch: event.epoch } } : {},
    ),
    'record first': ({ context, self }) =>
      context.ports.recordFirst(context.record, () => self.send({ type: 'recorded' })),
    'note delivery': assign(({ context, event }) => {
      const at = event.type === 'delivered' ? event.at : context.ports.clock.now();
      return {
        record: { ...step(context.record, 'dispatched', at), deliveredAt: context.record.deliveredAt ?? at },
      };
    }),
    'note dispatched': assign(({ context }) => ({ record: stepNow(context, 'dispatched') })),
    'note running': assign(({ context }) => ({ record: stepNow(context, 'running') })),
    'note mediation': assign(({ context }) => ({ record: stepNow(context, 'awaiting_local_mediation') })),
    'note resending': assign(({ context, event }) => ({
      record: {
        ...noted(context, 'resent', nodeLabel(context.record)),
        ...(event.type === 'settle' ? { sentInEpoch: event.epoch } : {}),
      },
    })),
    'note the wish': assign(({ context, event }) => {
      if (event.type !== 'cancel') return {};
      const by = callerLabel(event.caller);
      return { record: { ...noted(context, 'cancel_requested', by, event.reason), cancelRequestedBy: by } };
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
      const by = event.type === 'result' ? nodeLabel(context.record) : 'system:daemon';
      return {
        record: { ...step(context.record, outcome.state, at, by, outcome.reason), finishedAt: at, outcome },
      };
    }),
    changed: ({ context }) => context.ports.changed(context.record),
    ended: ({ context }) => context.ports.ended(context.record),
  },
}).createMachine({
  id: 'dispatch',
  context: ({ input }) => ({ ...input, outcome: undefined }),
  initial: 'resume',
  states: {
    resume: {
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
      entry: 'arm deliver-by',
      exit: 'disarm',
      on: {
        settle: { target: 'marking', actions: 'mark for the session' },
        cancel: { target: 'ending', actions: ['note the wish', 'conclude cancelled'] },
        deadline: { target: 'ending', actions: 'conclude expired' },
      },
    },
    // Goes out only after its record says that it may have been sent: or a daemon that dies in between would say of work
    // that ran, if it may be repeated or not, that it was never started.
    marking: {
      entry: ['record first', 'arm deliver-by'],
      exit: 'disarm',
      on: {
        recorded: { target: 'offered' },
        cancel: { target: 'ending', actions: ['note the wish', 'conclude cancelled'] },
        deadline: { target: 'ending', actions: 'conclude expired' },
      },
    },
    // In the session's queue, waiting for credit.
    offered: {
      entry: ['arm deliver-by', 'offer'],
      exit: 'disarm',
      on: {
        delivered: { target: 'dispatched', actions: ['note delivery', 'changed'] },
        'session.lost': [
          { guard: 'was never delivered', target: 'queued' },
          { target: 'dispatched', actions: ['note dispatched', 'changed'] },
        ],
        cancel: [
          {
            guard: 'was never delivered',
            target: 'ending',
            actions: ['withdraw', 'note the wish', 'conclude cancelled'],
          },
          {
            target: 'dispatched',
            actions: ['withdraw', 'note the wish', 'note dispatched', 'changed', 'tell the node to stop'],
          },
        ],
        deadline: [
          { guard: 'was never delivered', target: 'ending', actions: ['withdraw', 'conclude expired'] },
          {
            target: 'dispatched',
            actions: ['withdraw', 'note dispatched', 'changed', 'tell the node to stop'],
          },
        ],
      },
    },
    // Sent, or perhaps sent: from here on the node's word counts.
    dispatched: {
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...endedByNode,
        settle: settled,
        started: { target: 'running', actions: ['note running', 'changed'] },
        mediation: {
          guard: 'the person is asked',
          target: 'awaiting_local_mediation',
          actions: ['note mediation', 'changed'],
        },
        'cancel.outcome': {
          guard: 'the node does not know it',
          target: 'ending',
          actions: 'conclude stopped',
        },
      },
    },
    awaiting_local_mediation: {
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...endedByNode,
        settle: settled,
        started: { target: 'running', actions: ['note running', 'changed'] },
        mediation: { target: 'dispatched', actions: ['note dispatched', 'changed'] },
        'cancel.outcome': {
          guard: 'the node does not know it',
          target: 'ending',
          actions: 'conclude stopped',
        },
      },
    },
    running: {
      entry: 'arm latest end',
      exit: 'disarm',
      on: {
        ...endedByNode,
        settle: settled,
        'cancel.outcome': {
          guard: 'the node does not know it',
          target: 'ending',
          actions: 'conclude unsettled',
        },
      },
    },
    ending: {
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
    succeeded: { type: 'final', entry: 'ended' },
    failed: { type: 'final', entry: 'ended' },
    rejected: { type: 'final', entry: 'ended' },
    timed_out: { type: 'final', entry: 'ended' },
    cancelled: { type: 'final', entry: 'ended' },
    expired: { type: 'final', entry: 'ended' },
    outcome_unknown: { type: 'final', entry: 'ended' },
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

function arm(context: DispatchContext, self: { send(event: DispatchEvent): void }, at: number): void {
  const { deadlines, clock } = context.ports;
  deadlines.release(self);
  deadlines.set(self, Math.max(0, at - clock.now()), () => self.send({ type: 'deadline' }));
}

function nodeLabel(record: DispatchRecord): string {
  return `device:${record.deviceId}`;
}

function withStep(record: DispatchRecord, entry: DispatchStep): DispatchRecord {
  return { ...record, updatedAt: entry.at, steps: [...record.steps, entry] };
}

function step(
  record: DispatchRecord,
  to: DispatchState,
  at: number,
  by = nodeLabel(record),
  note?: string,
): DispatchRecord {
  return { ...withStep(record, { at, to, by, ...(note === undefined ? {} : { note }) }), state: to };
}

function stepNow(context: DispatchContext, to: DispatchState): DispatchRecord {
  return step(context.record, to, context.ports.clock.now());
}

function noted(
  context: DispatchContext,
  to: 'resent' | 'cancel_requested',
  by: string,
  note?: string,
): DispatchRecord {
  const at = context.ports.clock.now();
  return withStep(context.record, { at, to, by, ...(note ? { note } : {}) });
}
