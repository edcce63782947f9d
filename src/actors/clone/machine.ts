import { assign, setup, transition } from 'xstate';
import { callerLabel, permits, senderText } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { deviceError } from '../errors.js';
import { type Arrival, type CloneEvent, cloneSenders } from './events.js';
import { type CloneAction, type CloneCase, type CloneState, cloneActions } from './record.js';

interface CloneContext {
  readonly now: number;
  readonly record: CloneCase;
  /** What the event makes of it. */
  readonly next: CloneCase | undefined;
}

/** Tickets by which one host is remembered. */
const maxTickets = 8;

function mayCause(event: CloneEvent): boolean {
  return !('caller' in event) || permits(cloneSenders[event.type], event.caller);
}

const decides = { guard: 'may decide', actions: 'note the decision' } as const;
const replaces = {
  ...decides,
  target: 'replacing',
  description: 'It becomes the device with its next attempt; the other host is turned away from now on',
} as const;
const rejects = {
  ...decides,
  target: 'rejected',
  description: 'It is turned away for as long as it can be known by its process or by a ticket of the past',
} as const;
const allows = {
  ...decides,
  target: 'allowing',
  description: 'It is let in once, with its next attempt, and nobody is turned away',
} as const;
const asksAgain = { actions: 'note the attempt', description: 'It asks again, and waits' } as const;
const comesBack = {
  came: {
    target: 'waiting',
    actions: 'note the attempt',
    description: 'Another host has taken over since and answers, so this one has to wait',
  },
  admitted: {
    target: 'admitted',
    actions: 'note the admission',
    description: 'Another host has taken over since and is gone, so this one is let in again, with an alarm',
  },
} as const;
const isDisplaced = {
  target: 'rejected',
  actions: 'note the decision',
  description: 'An operator put another host in its place',
} as const;

/**
 * What may become of a host that came with the identity of a device and is not the host that the daemon knew. A table and no
 * actor, like the device's own: {@link moveClone} asks it within the transaction that writes the device's record.
 *
 * Nobody is fenced by an alarm: where no other host answers, the newcomer is let in, and the operator decides afterwards.
 */
export const cloneMachine = setup({
  types: {
    context: {} as CloneContext,
    events: {} as CloneEvent,
    input: {} as Omit<CloneContext, 'next'>,
    meta: {} as MachineMeta,
  },
  guards: { 'may decide': ({ event }) => mayCause(event) },
  actions: {
    'note the attempt': assign(({ context, event }) => ({ next: arrived(context, event) })),
    'note the admission': assign(({ context, event }) => ({ next: admitted(context, event) })),
    'note that it goes on': assign(({ context, event }) => ({ next: continued(context, event) })),
    'note that it is out': assign(({ context }) => ({ next: withoutBefore(context.record) })),
    'note the decision': assign(({ context, event }) => ({ next: decided(context, event) })),
  },
}).createMachine({
  id: 'clone',
  meta: { senders: cloneSenders },
  context: ({ input }) => ({ ...input, next: undefined }),
  initial: 'new',
  states: {
    new: {
      description: 'A host that has not been seen before shows itself',
      on: {
        came: {
          target: 'waiting',
          actions: 'note the attempt',
          description: 'The other host answers, so this one has to wait',
        },
        admitted: {
          target: 'admitted',
          actions: 'note the admission',
          description: 'No other host answers, so it is let in, with an alarm',
        },
        displaced: isDisplaced,
      },
    },
    waiting: {
      description:
        'It is refused for now and tries again, until an operator decides or the other host is gone',
      on: {
        came: asksAgain,
        admitted: {
          target: 'admitted',
          actions: 'note the admission',
          description: 'The other host is gone, so it is let in, with an alarm',
        },
        replace: replaces,
        reject: rejects,
        allow: allows,
        displaced: isDisplaced,
      },
    },
    admitted: {
      description: 'It is in, and no operator has said yet whether it is the device',
      on: {
        came: asksAgain,
        admitted: {
          target: 'admitted',
          actions: 'note the admission',
          description: 'It never stored the ticket that it was given, and is let in again',
        },
        replace: {
          ...decides,
          target: 'replaced',
          description: 'It is the device; the host before it is turned away',
        },
        reject: {
          ...decides,
          target: 'rejected',
          description: 'Its session ends, and the host before it counts again',
        },
        allow: {
          ...decides,
          target: 'allowed',
          description: 'It is the device, restored; nobody is turned away',
        },
        continued: {
          actions: 'note that it goes on',
          description: 'It opens its next session, under the ticket that it was given',
        },
        ousted: {
          target: 'waiting',
          actions: 'note that it is out',
          description: 'Another host has the session now, so this one would have to wait',
        },
        displaced: isDisplaced,
        settled: {
          target: 'allowed',
          actions: 'note the decision',
          description: 'An operator turned the other host away, so this one is the device',
        },
      },
    },
    replacing: {
      description: 'It becomes the device with its next attempt',
      on: {
        admitted: { target: 'replaced', actions: 'note the admission', description: 'It has come' },
        came: asksAgain,
        reject: rejects,
        allow: allows,
        displaced: isDisplaced,
      },
    },
    allowing: {
      description: 'It is let in with its next attempt',
      on: {
        admitted: { target: 'allowed', actions: 'note the admission', description: 'It has come' },
        came: asksAgain,
        replace: replaces,
        reject: rejects,
        displaced: isDisplaced,
      },
    },
    rejected: {
      description: 'It is turned away',
      on: { came: asksAgain, replace: replaces, allow: allows, displaced: isDisplaced },
    },
    replaced: {
      description: 'It is the device; the host before it was turned away',
      on: { ...comesBack, displaced: isDisplaced },
    },
    allowed: {
      description: 'It is the device',
      on: { ...comesBack, displaced: isDisplaced },
    },
  },
});

/**
 * What a case becomes by an event.
 *
 * @param state `new` for a host that is seen for the first time; `record` then says who it is.
 * @param now milliseconds since the epoch.
 * @throws AppError `device.forbidden` when the caller may not decide, `device.not_possible` when nothing is to be decided.
 */
export function moveClone(
  state: CloneState | 'new',
  record: CloneCase,
  event: CloneEvent,
  now: number,
): CloneCase {
  const context: CloneContext = { now, record, next: undefined };
  const [after] = transition(cloneMachine, cloneMachine.resolveState({ value: state, context }), event);
  const { next } = after.context;
  if (next === undefined) throw refusal(record, event);
  return { ...next, state: after.value as CloneState };
}

/** What an operator can decide about a host in a state, whoever they are. */
export function cloneActionsIn(state: CloneState): readonly CloneAction[] {
  return cloneActions.filter((action) => action in (cloneMachine.states[state]?.config.on ?? {}));
}

function refusal(record: CloneCase, event: CloneEvent): AppError {
  if ('caller' in event && !mayCause(event)) {
    return deviceError('forbidden', `${callerLabel(event.caller)} may not decide on clones`, {
      hint: `It takes ${senderText(cloneSenders[event.type])}.`,
    });
  }
  const possible = cloneActionsIn(record.state);
  return deviceError(
    'not_possible',
    `Clone ${record.id} is ${record.state}: there is nothing to ${event.type}`,
    {
      hint: possible.length === 0 ? 'It is decided.' : `What can be decided: ${possible.join(', ')}.`,
    },
  );
}

function arrived({ now, record }: CloneContext, event: CloneEvent): CloneCase {
  if (!('arrival' in event)) return record;
  const { ticket, instance, address, hostname }: Arrival = event.arrival;
  return {
    ...record,
    tickets: remember(record.tickets, ticket),
    instance,
    address,
    hostname,
    lastSeenAt: now,
    attempts: record.attempts + 1,
  };
}

function admitted(context: CloneContext, event: CloneEvent): CloneCase {
  if (event.type !== 'admitted') return context.record;
  const record = arrived(context, event);
  return { ...record, given: remember(record.given, event.given), before: record.before ?? event.before };
}

function continued(context: CloneContext, event: CloneEvent): CloneCase {
  if (event.type !== 'continued') return context.record;
  const record = arrived(context, event);
  return { ...record, given: remember(record.given, event.given) };
}

function withoutBefore({ before: _before, ...record }: CloneCase): CloneCase {
  return record;
}

function decided({ now, record }: CloneContext, event: CloneEvent): CloneCase {
  switch (event.type) {
    case 'replace':
    case 'reject':
    case 'allow':
      return withDecision(record, event.type, callerLabel(event.caller), now, event.reason);
    case 'displaced':
      return withDecision(record, 'reject', event.by, now, event.reason);
    case 'settled':
      return withDecision(record, 'allow', event.by, now, event.reason);
    default:
      return record;
  }
}

function withDecision(
  record: CloneCase,
  action: CloneAction,
  by: string,
  at: number,
  reason: string,
): CloneCase {
  return { ...withoutBefore(record), decision: { action, by, at, reason } };
}

function remember(tickets: readonly string[], ticket: string): readonly string[] {
  return tickets.includes(ticket) ? tickets : [...tickets, ticket].slice(-maxTickets);
}
