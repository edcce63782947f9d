import { shortDeviceId } from '../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Clone, Device } from '../contract/device.js';
import type { CloneAction } from '../contract/device-states.js';
import { cliError } from './cli-errors.js';
import { confirmed, requireSomebody } from './confirmed.js';
import type { CliContext } from './context.js';
import type { DeviceDecisionFlags } from './decide-device.js';
import { cloneText, deviceText } from './device-text.js';
import { colours, print, printJson } from './output.js';
import { printable } from './printable.js';

export interface CloneFlags extends DeviceDecisionFlags {
  readonly clone?: string;
}

const questions: Readonly<Record<CloneAction, (name: string, host: string) => string>> = {
  replace: (name, host) => `Make ${host} the host of ${name}? The one that has been it is turned away.`,
  reject: (name, host) => `Turn ${host} away? The one that has been ${name} goes on.`,
  allow: (name, host) => `Let ${host} in as ${name}, once? Nobody is turned away.`,
};

/**
 * Shows a device and the other host that came with its identity, asks the person unless they said yes already, and says which
 * of the two is the device.
 *
 * @throws AppError `cli.not_found` when no other host can be decided on, `cli.ambiguous` when several can,
 *   `cli.confirmation_needed`, and the errors of the daemon
 */
export async function decideClone(
  client: ControlPlaneClient,
  context: CliContext,
  device: Device,
  action: CloneAction,
  flags: CloneFlags,
): Promise<void> {
  const { reason, ifVersion, json = false } = flags;
  const clone = chosen(device, action, flags.clone);
  const name = `${printable(device.name)} (${shortDeviceId(device.deviceId)})`;
  const host = hostOf(clone);
  requireSomebody(context, `${action} ${host} on ${name}`, flags);
  if (!json) print(context, ...deviceText(context, device), '');
  if (!(await confirmed(context, questions[action](name, host), flags))) return;
  const decided = await client.decideClone(device.deviceId, {
    action,
    reason,
    clone: clone.id,
    ...(ifVersion === undefined ? {} : { version: ifVersion }),
  });
  if (json) {
    printJson(context, decided);
    return;
  }
  const after = decided.clones.find(({ id }) => id === clone.id) ?? clone;
  print(context, `${colours(context.stdout, context.env).green('✓')} ${cloneText(after)}`);
}

function chosen({ name, clones }: Device, action: CloneAction, id: string | undefined): Clone {
  const decidable = clones.filter(({ actions }) => actions.includes(action));
  const open = decidable.filter(({ state }) => state === 'waiting' || state === 'admitted');
  const candidates =
    id === undefined ? (open.length > 0 ? open : decidable) : clones.filter((one) => one.id === id);
  const [found, second] = candidates;
  if (found === undefined) {
    const which = id === undefined ? `to ${action}` : `with the id ${id}`;
    throw cliError('not_found', `No other host came as ${printable(name)} ${which}`, {
      hint: `See which did: palyra devices show ${printable(name)}`,
    });
  }
  if (second === undefined) return found;
  throw cliError('ambiguous', `Several other hosts came as ${printable(name)}`, {
    hint: `Name one with --clone: ${candidates.map((one) => `${one.id} (${hostOf(one)})`).join(', ')}`,
  });
}

function hostOf({ hostname, address }: Clone): string {
  return printable(hostname === '' ? address : `${hostname} at ${address}`);
}
