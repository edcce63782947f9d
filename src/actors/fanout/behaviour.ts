import { assign, setup } from 'xstate';
import { callerLabel, permits } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { causeOf } from '../../kernel/journal.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { type FanoutEvent, fanoutSenders } from './events.js';
import { chosenOf, failuresOf, fanoutStep, isOpen, isUnderWay, verdictOf, withMembers } from './members.js';
import type { FanoutMember, FanoutRecord } from './record.js';

/** What a fan-out asks of the outside. */
export interface FanoutPorts {
  readonly clock: Pick<Clock, 'now'>;
  /** Has a dispatch made for a target; `started` or `ended` comes. */
  start(record: FanoutRecord, member: FanoutMember): void;
  /** Asks for the end of the dispatch of a target. */
  cancel(record: FanoutRecord, member: FanoutMember): void;
  /** Finds out what has become of the targets that had not ended; `recalled` comes. */
  recall(record: FanoutRecord): void;
  /** Something changed that may be written with the next commit. */
  changed(record: FanoutRecord): void;
  /** It has ended: to be written, then told. */
  ended(record: FanoutRecord): void;
}

export interface FanoutInput {
  readonly ports: FanoutPorts;
  readonly record: FanoutRecord;
  /** It was made a moment ago: no target can have a dispatch. */
  readonly fresh: boolean;
}

/** What a fan-out knows. */
export interface FanoutContext extends FanoutInput {
  /** The targets whose turn has just come. */
  readonly chosen: readonly FanoutMember[];
}

/** Guards and actions of a fan-out, by name. The chart that uses them is in `machine.ts`. */
export const fanoutSetup = setup({
  types: {
    context: {} as FanoutContext,
    events: {} as FanoutEvent,
    input: {} as FanoutInput,
    meta: {} as MachineMeta,
  },
  guards: {
    'was just made': ({ context }) => context.fresh,
    'may cancel': ({ event }) => event.type === 'cancel' && permits(fanoutSenders.cancel, event.caller),
    'was cancelled': ({ context }) => context.record.state === 'cancelling',
    'was stopped': ({ context }) => context.record.state === 'stopping',
    'all have ended': ({ context }) => !context.record.members.some(isOpen),
    'too many have failed': ({ context }) => {
      const { stopAfterFailures = Number.POSITIVE_INFINITY, members } = context.record;
      // When all are started there is nothing left to stop.
      return (
        failuresOf(context.record) >= stopAfterFailures && members.some(({ state }) => state === 'waiting')
      );
    },
    'more may start': ({ context }) => chosenOf(context.record).length > 0,
  },
  actions: {
    recall: ({ context }) => context.ports.recall(context.record),
    'note what is known': assign(({ context, event }) =>
      event.type === 'recalled'
        ? { record: withMembers(context.record, event.members, context.ports.clock.now()) }
        : {},
    ),
    'note the start': assign(({ context, event }) => {
      if (event.type !== 'started' || starting(context, event.deviceId) === undefined) return {};
      const { dispatchId } = event;
      return { record: noted(context, event.deviceId, { state: 'started', dispatchId }) };
    }),
    'note the end': assign(({ context, event }) =>
      event.type === 'ended' ? { record: noted(context, event.deviceId, event.end) } : {},
    ),
    'choose the next': assign(({ context }) => {
      const chosen = chosenOf(context.record);
      const starting = new Map(chosen.map(({ deviceId }) => [deviceId, { state: 'starting' as const }]));
      return { chosen, record: withMembers(context.record, starting, context.ports.clock.now()) };
    }),
    'start them': ({ context }) => {
      for (const member of context.chosen) context.ports.start(context.record, member);
    },
    'note that it stops': assign(({ context }) => {
      const cause = causeOf({ type: 'too many failures' }, 'system:daemon');
      return { record: fanoutStep(context.record, 'stopping', context.ports.clock.now(), cause) };
    }),
    'note the wish': assign(({ context, event }) => {
      if (event.type !== 'cancel') return {};
      const cause = causeOf(event, '', event.reason);
      const record = fanoutStep(context.record, 'cancelling', context.ports.clock.now(), cause);
      return { record: { ...record, cancelRequestedBy: callerLabel(event.caller) } };
    }),
    'leave the rest': assign(({ context }) => {
      const rest = context.record.members.filter(({ state }) => state === 'waiting');
      const left = new Map(rest.map(({ deviceId }) => [deviceId, { state: 'not_started' as const }]));
      return { record: withMembers(context.record, left, context.ports.clock.now()) };
    }),
    'cancel those under way': ({ context }) => {
      const started = context.record.members.filter(
        (member) => isUnderWay(member) && member.dispatchId !== undefined,
      );
      for (const member of started) context.ports.cancel(context.record, member);
    },
    'cancel it': ({ context, event }) => {
      const late = event.type === 'started' ? starting(context, event.deviceId) : undefined;
      if (late === undefined || event.type !== 'started') return;
      context.ports.cancel(context.record, { ...late, dispatchId: event.dispatchId });
    },
    'write the end': assign(({ context }) => {
      const at = context.ports.clock.now();
      const cause = causeOf({ type: 'all have ended' }, 'system:daemon');
      return {
        record: { ...fanoutStep(context.record, verdictOf(context.record), at, cause), finishedAt: at },
      };
    }),
    changed: ({ context }) => context.ports.changed(context.record),
    ended: ({ context }) => context.ports.ended(context.record),
  },
});

/** The target, if its dispatch is just being made. */
function starting({ record }: FanoutContext, deviceId: string): FanoutMember | undefined {
  return record.members.find((member) => member.deviceId === deviceId && member.state === 'starting');
}

function noted(
  { record, ports }: FanoutContext,
  deviceId: string,
  change: Partial<FanoutMember>,
): FanoutRecord {
  return withMembers(record, new Map([[deviceId, change]]), ports.clock.now());
}
