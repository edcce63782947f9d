import { formatDeviceId, shortDeviceId } from '../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { DecideDevice, Device } from '../contract/device.js';
import { type ConfirmationFlags, confirmed, requireSomebody } from './confirmed.js';
import type { CliContext } from './context.js';
import { deviceText } from './device-text.js';
import { colours, print, printJson } from './output.js';
import { printable } from './printable.js';

export type DeviceVerb = 'revoke' | 'remove' | 'ban' | 'lift';

export interface DeviceDecisionFlags extends ConfirmationFlags {
  readonly reason: string;
  readonly ifVersion?: number;
}

/** A device that is to be decided on; one that was never here is known by its id alone. */
export type DeviceTarget = Device | { readonly deviceId: string };

interface VerbText {
  readonly question: (name: string) => string;
  readonly done: (device: Device) => readonly string[];
}

const texts: Readonly<Record<DeviceVerb, VerbText>> = {
  revoke: {
    question: (name) => `Shut ${name} out? Its session and what runs on it end at once.`,
    done: ({ name }) => [
      'Revoked.',
      `It stays out until you lift this: palyra devices lift ${printable(name)}`,
    ],
  },
  remove: {
    question: (name) => `Remove ${name}? Nothing is kept of it but its id, which stays out.`,
    done: () => ['Removed. Its id stays known: palyra devices list --all'],
  },
  ban: {
    question: (name) => `Ban ${name}? It can neither connect nor join until you lift this.`,
    done: () => ['Banned. See who is: palyra devices list --trust banned'],
  },
  lift: {
    question: (name) => `Let ${name} in again?`,
    done: ({ trust }) =>
      trust === 'trusted' || trust === 'expired'
        ? [
            'Lifted. It may connect again.',
            trust === 'expired'
              ? 'Its certificate has ended, so it has to join again: palyra pair'
              : 'Its host asks once an hour; start it again to have it back at once.',
          ]
        : ['Lifted. It may join again, as a new machine: palyra pair'],
  },
};

/** A device by name and id, so that nobody decides on another one than they think. */
function called(target: DeviceTarget): string {
  const name = 'name' in target ? printable(target.name) : '';
  return name === '' ? formatDeviceId(target.deviceId) : `${name} (${shortDeviceId(target.deviceId)})`;
}

/**
 * Shows a device, asks the person unless they said yes already, and carries the decision out.
 *
 * @throws AppError `cli.confirmation_needed` when there is nobody to ask, and the errors of the daemon
 */
export async function decideDevice(
  client: ControlPlaneClient,
  context: CliContext,
  target: DeviceTarget,
  verb: DeviceVerb,
  flags: DeviceDecisionFlags,
): Promise<void> {
  const { question, done } = texts[verb];
  const { reason, ifVersion, json = false } = flags;
  requireSomebody(context, `${verb} ${called(target)}`, flags);
  if (!json && 'name' in target) print(context, ...deviceText(context, target), '');
  if (!(await confirmed(context, question(called(target)), flags))) return;
  const decision: DecideDevice = { reason, ...(ifVersion === undefined ? {} : { version: ifVersion }) };
  const decided = await send(client, target.deviceId, verb, decision);
  if (json) {
    printJson(context, decided);
    return;
  }
  const [first = '', ...rest] = done(decided);
  print(
    context,
    `${colours(context.stdout, context.env).green('✓')} ${first}`,
    ...rest.map((line) => `  ${line}`),
  );
}

function send(
  client: ControlPlaneClient,
  id: string,
  verb: DeviceVerb,
  decision: DecideDevice,
): Promise<Device> {
  switch (verb) {
    case 'revoke':
      return client.revokeDevice(id, decision);
    case 'remove':
      return client.removeDevice(id, decision);
    case 'ban':
      return client.banDevice(id, decision);
    case 'lift':
      return client.liftDevice(id, decision);
  }
}
