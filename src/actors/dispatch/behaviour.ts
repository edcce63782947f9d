import { assign, setup } from 'xstate';
import { callerLabel, permits } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import type { DeviceBar } from '../device/bars.js';
import type { NodeResult } from '../link/frames.js';
import { type DispatchEvent, dispatchSenders } from './events.js';
import type { DispatchOutcome, DispatchRecord, DispatchState } from './record.js';
import { type DispatchNote, note, step } from './steps.js';

/** What a dispatch asks of the outside. */
export interface DispatchPorts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** Whether its node offers, as what it asks for, something that may not run there by now. */
  isHeld(record: DispatchRecord): boolean;
  /** Gives it to the node's session; false when there is none, or when it is held. */
  offer(record: DispatchRecord): boolean;
  /** Takes it back from the session's queue; nothing happens when it was sent. */
  withdraw(record: DispatchRecord): void;
  /** Carries the wish to end it to the node, if there is a session; it is repeated with each new one. */
  cancelAtNode(record: DispatchRecord, reason: string): void;
  /** What a node's result means: its output is checked here. */
  judge(record: DispatchRecord, result: NodeResult): DispatchOutcome;
  /** Who shut its device out, or undefined while the device may run what it is asked for. */
  barOf(record: DispatchRecord): DeviceBar | undefined;
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

/** What a dispatch knows. */
export interface DispatchContext extends DispatchInput {
  readonly outcome: DispatchOutcome | undefined;
  /** Who ended it by shutting its device out. */
  readonly barredBy: string | undefined;
}

/** How long the daemon waits for the node's word after the latest end, milliseconds (protocol.md 21). */
export const settleLimitMs = 24 * 3_600_000;

/** Guards and actions of a dispatch, by name. The chart that uses them is in `machine.ts`. */
export const dispatchSetup = setup({
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
    // Asked of the device itself: nothing but the decision about it can end its work like this.
    'the device is barred': ({ context }) => context.ports.barOf(context.record) !== undefined,
    'the device is barred before it was sent': ({ context }) =>
      (context.fresh || context.record.sentInEpoch === 0) &&
      context.ports.barOf(context.record) !== undefined,
    'the device is barred before it was delivered': ({ context }) =>
      wasNeverDelivered(context.record) && context.ports.barOf(context.record) !== undefined,
    'is fresh and sendable': ({ context }) => context.fresh && isSendable(context.record),
    'was never sent': ({ context }) => context.record.sentInEpoch === 0,
    'was running': ({ context }) => context.record.state === 'running',
    'was mediated': ({ context }) => context.record.state === 'awaiting_local_mediation',
    'was never delivered': ({ context }) => wasNeverDelivered(context.record),
    // Asked before it is marked: of what was only held, nobody is ever to doubt whether it ran.
    'may run there': ({ context }) => !context.ports.isHeld(context.record),
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
    'has started': ({ event }) => event.type === 'settle' && event.phase === 'started',
    'the person is asked': ({ event }) => event.type === 'mediation' && event.waiting,
    // A node that comes back says of what still waits there that it does.
    'the person has answered': ({ event }) => event.type === 'mediation' && !event.waiting,
    'the node does not know it': ({ event }) =>
      event.type === 'cancel.outcome' && event.outcome === 'not_known',
    'the node is stopping it': ({ context, event }) =>
      event.type === 'cancel.outcome' &&
      event.outcome === 'stopping' &&
      !context.record.steps.some(({ to }) => to === 'stopping'),
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
    'note that it never left': assign(({ context }) => ({ record: { ...context.record, sentInEpoch: 0 } })),
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
    'note that it is stopping': assign(({ context, event }) => ({
      record: noteNow(context, event, 'stopping'),
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
    'conclude barred before it was sent': assign(({ context }) => barred(context, 'cancelled')),
    'conclude barred': assign(({ context }) => barred(context, 'outcome_unknown')),
    'write the end': assign(({ context, event }) => {
      const outcome = context.outcome as DispatchOutcome;
      const at = context.ports.clock.now();
      const cause =
        context.barredBy === undefined
          ? causedBy(event, context.record, outcome.reason)
          : causeOf({ type: 'device.barred' }, context.barredBy, outcome.reason);
      return { record: { ...step(context.record, outcome.state, at, cause), finishedAt: at, outcome } };
    }),
    changed: ({ context }) => context.ports.changed(context.record),
    ended: ({ context }) => context.ports.ended(context.record),
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

/** The end of work whose device was shut out: what certainly never left is cancelled, of the rest nobody knows. */
function barred(
  { ports, record }: DispatchContext,
  state: 'cancelled' | 'outcome_unknown',
): Pick<DispatchContext, 'outcome' | 'barredBy'> {
  const bar = ports.barOf(record);
  return {
    outcome: { state, reason: bar?.state ?? 'revoked', ...(state === 'cancelled' ? { started: false } : {}) },
    barredBy: bar?.by,
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
