import { assign, setup, transition } from 'xstate';
import { callerLabel, permits, senderText } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import { deviceError } from '../errors.js';
import { barOf, barredFromPairing } from './bars.js';
import { type DeviceContext, type DeviceDraft, decided, enrolled, tombstone } from './drafts.js';
import { type DeviceEvent, deviceSenders } from './events.js';
import { faultOf, relabelled } from './labels.js';
import type { DeviceAction, DeviceRecord, DeviceState } from './record.js';

/** Whether the event's caller is what the table of senders asks for. @param id the device that it is about */
function mayCause(id: string, event: DeviceEvent): boolean {
  return !('caller' in event) || permits(deviceSenders[event.type], event.caller, id);
}

const renames = {
  guard: 'may decide',
  actions: 'note the name',
  description: 'It gets another name',
} as const;
const labels = {
  guard: 'may label',
  actions: 'note the labels',
  description: 'It gets other labels; what is granted by label counts by these at once',
} as const;
const rotates = {
  guard: 'may decide',
  actions: 'note the order',
  description:
    'It is to have a new certificate as soon as it is connected; the old one stays valid until then',
} as const;
const revokes = {
  guard: 'may decide',
  target: 'revoked',
  actions: 'note the decision',
  description: 'It is shut out at once; its certificate and approvals are kept for when that is lifted',
} as const;
const removes = {
  guard: 'may decide',
  target: 'removed',
  actions: 'leave a tombstone',
  description: 'It is shut out at once, and nothing is left of it but its id',
} as const;
const leaves = {
  guard: 'may leave',
  target: 'removed',
  actions: 'leave a tombstone',
  description: 'Its owner has taken it out; nothing is left of it but its id',
} as const;
const bans = {
  guard: 'may decide',
  target: 'banned',
  actions: 'leave a tombstone',
  description: 'The id is shut out, whether it has ever come or not',
} as const;
const enrols = {
  guard: 'may decide',
  target: 'trusted',
  actions: 'note the enrolment',
  description: 'Its pairing was approved',
} as const;
const revokedThere = {
  guard: 'is revoked there',
  target: 'revoked',
  actions: 'note the decision',
  description: 'It was revoked, and this database did not know',
} as const;
const removedThere = {
  guard: 'is removed there',
  target: 'removed',
  actions: 'leave a tombstone',
  description: 'It was removed, and this database did not know',
} as const;
const bannedThere = {
  target: 'banned',
  actions: 'leave a tombstone',
  description: 'It was banned, and this database did not know',
} as const;
const bars = [revokedThere, removedThere, bannedThere] as const;

/**
 * What may become of a device. It is a table and no actor: nothing happens to a device by itself, and each decision is one
 * transaction with its record. {@link decideDevice} is the one way through it.
 *
 * No transition but `lift` leads out of a bar: neither a new pairing nor anything that a node says.
 */
export const deviceMachine = setup({
  types: {
    context: {} as DeviceContext,
    events: {} as DeviceEvent,
    input: {} as Omit<DeviceContext, 'next'>,
    meta: {} as MachineMeta,
  },
  guards: {
    'may decide': ({ context, event }) => mayCause(context.id, event),
    'may leave': ({ context, event }) => mayCause(context.id, event),
    'may label': ({ context, event }) =>
      mayCause(context.id, event) &&
      event.type === 'label' &&
      faultOf(context.record?.labels ?? {}, event) === undefined,
    'is revoked there': ({ event }) => event.type === 'recorded' && event.bar.action === 'revoke',
    'is removed there': ({ event }) => event.type === 'recorded' && event.bar.action === 'remove',
  },
  actions: {
    'note the enrolment': assign(({ context, event }) =>
      event.type === 'enrol' ? { next: enrolled(context, event.enrolment) } : {},
    ),
    'note the name': assign(({ context, event }) =>
      event.type === 'rename' ? { next: { ...decided(context, event), name: event.name } } : {},
    ),
    'note the labels': assign(({ context, event }) => {
      if (event.type !== 'label') return {};
      const next = decided(context, event);
      return { next: { ...next, labels: relabelled(next.labels, event) } };
    }),
    'note the order': assign(({ context, event }) => {
      if (event.type !== 'rotate') return {};
      const rotation = { by: callerLabel(event.caller), at: context.now, reason: event.reason };
      return { next: { ...decided(context, event), rotation } };
    }),
    'note the decision': assign(({ context, event }) => ({ next: decided(context, event) })),
    'leave a tombstone': assign(({ context, event }) => ({ next: tombstone(decided(context, event)) })),
  },
}).createMachine({
  id: 'device',
  meta: { senders: deviceSenders },
  context: ({ input }) => ({ ...input, next: undefined }),
  initial: 'unknown',
  states: {
    unknown: {
      description: 'No device with this id has ever been here',
      on: {
        enrol: enrols,
        ban: bans,
        recorded: {
          target: 'banned',
          actions: 'leave a tombstone',
          description: 'It was barred, and this database knows nothing of it',
        },
      },
    },
    trusted: {
      description: 'It may connect with a certificate that is in force',
      on: {
        enrol: enrols,
        rename: renames,
        label: labels,
        rotate: rotates,
        revoke: revokes,
        remove: removes,
        leave: leaves,
        ban: bans,
        recorded: bars,
      },
    },
    revoked: {
      description: 'It is shut out, as it is, until an operator lifts this',
      on: {
        rename: renames,
        label: labels,
        remove: removes,
        ban: bans,
        lift: {
          guard: 'may decide',
          target: 'trusted',
          actions: 'note the decision',
          description: 'It may connect again, with the certificate that it has if that is still in force',
        },
        recorded: [{ guard: 'is revoked there', description: 'It is known' }, removedThere, bannedThere],
      },
    },
    removed: {
      description: 'A tombstone: the machine is gone, and its id stays out until an operator lifts this',
      on: {
        ban: bans,
        lift: {
          guard: 'may decide',
          target: 'lifted',
          actions: 'note the decision',
          description: 'The machine may ask to join again, as a new one',
        },
      },
    },
    banned: {
      description: 'The id stays out until an operator lifts this',
      on: {
        lift: {
          guard: 'may decide',
          target: 'lifted',
          actions: 'note the decision',
          description: 'The machine may ask to join, as a new one',
        },
      },
    },
    lifted: {
      description: 'The id was barred and may ask to join again; it has no certificate and runs nothing',
      on: { enrol: enrols, remove: removes, ban: bans, recorded: bars },
    },
  },
});

/**
 * What a device's record becomes by an event.
 *
 * @param record undefined when no device with this id has ever been here.
 * @param now milliseconds since the epoch.
 * @throws AppError `device.forbidden` when the caller may not cause the event, `device.not_found`, `pairing.device_barred` when a
 *   barred device is to be enrolled, `device.not_possible` when nothing is to be done in this state,
 *   `device.bad_labels` as {@link faultOf} says.
 */
export function decideDevice(
  id: string,
  record: DeviceRecord | undefined,
  event: DeviceEvent,
  now: number,
): DeviceDraft {
  const context: DeviceContext = { id, now, record, next: undefined };
  const state = deviceMachine.resolveState({ value: record?.state ?? 'unknown', context });
  const [after] = transition(deviceMachine, state, event);
  const { next } = after.context;
  if (next === undefined) throw refusal(id, record, event);
  return { ...next, state: after.value as DeviceState };
}

/** What an operator can do with a device in a state, whoever they are. */
export function actionsIn(state: DeviceState): readonly DeviceAction[] {
  const all = ['rename', 'label', 'rotate', 'revoke', 'remove', 'ban', 'lift'] as const;
  return all.filter((action) => action in (deviceMachine.states[state]?.config.on ?? {}));
}

/** That there is no such device. */
export function unknownDevice(id: string): AppError {
  return deviceError('not_found', `There is no device ${id}`, {
    hint: 'See which there are: `palyra devices list --all`.',
  });
}

function refusal(id: string, record: DeviceRecord | undefined, event: DeviceEvent): AppError {
  if ('caller' in event && !mayCause(id, event)) {
    return deviceError('forbidden', `${callerLabel(event.caller)} may not ${event.type} devices`, {
      hint: `It takes ${senderText(deviceSenders[event.type])}.`,
    });
  }
  if (record === undefined) {
    return unknownDevice(id);
  }
  const bar = barOf(record);
  if (bar && event.type === 'enrol') return barredFromPairing(record, bar);
  const possible = actionsIn(record.state);
  const fault = event.type === 'label' && possible.includes('label') && faultOf(record.labels, event);
  if (fault) return fault;
  return deviceError(
    'not_possible',
    `Device ${record.name || id} is ${record.state}: it can't be ${done[event.type]}`,
    {
      hint: `What can be done with it: ${possible.join(', ')}.`,
    },
  );
}

const done = {
  enrol: 'enrolled',
  rename: 'renamed',
  label: 'labelled',
  rotate: 'rotated',
  revoke: 'revoked',
  remove: 'removed',
  ban: 'banned',
  lift: 'lifted',
  leave: 'taken out by its owner',
  recorded: 'barred',
} as const;
