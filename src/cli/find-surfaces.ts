import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Surface } from '../contract/surface.js';
import type { SurfaceState } from '../contract/surface-states.js';
import { didYouMean } from '../kernel/nearest.js';
import { cliError } from './cli-errors.js';
import { findDevice } from './find-device.js';
import { printable } from './printable.js';

const pageSize = 100;

/** Everything that nodes offer, in some states, whatever the number of pages. */
export async function allSurfaces(
  client: ControlPlaneClient,
  filter: { readonly state?: readonly SurfaceState[]; readonly deviceId?: string } = {},
): Promise<readonly Surface[]> {
  const found: Surface[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listSurfaces({
      ...filter,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.surfaces);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

/**
 * What a person means by `NODE` or `NODE:CAPABILITY`: all that the node offers in these states, or that one in any state.
 *
 * @throws AppError `cli.not_found` with the nearest name, and those of `findDevice`
 */
export async function findSurfaces(
  client: ControlPlaneClient,
  text: string,
  state?: readonly SurfaceState[],
): Promise<readonly Surface[]> {
  const colon = text.indexOf(':');
  const node = colon < 0 ? text : text.slice(0, colon);
  const { deviceId, name } = await findDevice(client, node);
  if (colon < 0) return allSurfaces(client, { deviceId, ...(state === undefined ? {} : { state }) });
  const offered = await allSurfaces(client, { deviceId });
  const capability = text.slice(colon + 1);
  const found = offered.filter((one) => one.capability === capability);
  if (found.length > 0) return found;
  const names = offered.map((one) => printable(one.capability));
  throw cliError('not_found', `Node ${printable(name)} does not offer ${printable(capability)}`, {
    hint: didYouMean(capability, names) ?? `It offers ${names.join(', ') || 'nothing'}.`,
  });
}
