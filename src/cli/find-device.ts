import {
  formatDeviceId,
  isDeviceId,
  refuseMistypedDeviceId,
  shortDeviceId,
} from '../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Device } from '../contract/device.js';
import type { Trust } from '../contract/device-states.js';
import { didYouMean } from '../kernel/nearest.js';
import { cliError } from './cli-errors.js';
import { printable } from './printable.js';

const pageSize = 500;

/** All devices of a kind, whatever the number of pages. */
export async function allDevices(
  client: ControlPlaneClient,
  trust?: readonly Trust[],
): Promise<readonly Device[]> {
  const found: Device[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listDevices({
      limit: pageSize,
      ...(trust === undefined ? {} : { trust }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.devices);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

/**
 * The device that a person means: by its whole id, its name, or the beginning of its id. A machine proposes its own name and
 * may choose what stands on a screen as the id of another one, so a text that is both names nobody.
 *
 * @throws AppError `cli.not_found` with the nearest name, `cli.ambiguous` with the candidates, `identity.invalid_device_id` for
 *   a mistyped id
 */
export async function findDevice(
  client: ControlPlaneClient,
  text: string,
  trust?: readonly Trust[],
): Promise<Device> {
  const prefix = text.toUpperCase().replaceAll('-', '');
  if (isDeviceId(prefix)) return client.getDevice(prefix);
  const devices = await allDevices(client, trust);
  const matches = devices.filter(
    ({ name, deviceId }) => name === text || (prefix !== '' && deviceId.startsWith(prefix)),
  );
  const [found, second] = matches;
  if (found === undefined) {
    refuseMistypedDeviceId(text);
    const near = didYouMean(
      text,
      devices.map(({ name }) => printable(name)),
    );
    throw cliError('not_found', `No device is named '${text}', and no device id begins with it`, {
      hint: near ?? 'See which there are: palyra devices list --all',
    });
  }
  if (second === undefined) return found;
  const candidates = matches.map(({ name, deviceId }) => `${printable(name)} (${shortDeviceId(deviceId)})`);
  throw cliError('ambiguous', `'${text}' may be ${candidates.slice(0, 5).join(' or ')}`, {
    hint: `Give more of the id, for example ${formatDeviceId(found.deviceId)}`,
  });
}
