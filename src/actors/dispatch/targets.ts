import { didYouMean } from '../../kernel/nearest.js';
import type { Catalog, CatalogEntry } from '../../plugins/catalog.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { dispatchError } from '../errors.js';
import { refuseMistypedDeviceId } from '../identity/device-id.js';

/** The characters of a device id that are shown for short. */
const shownIdLength = 7;

/**
 * The device that an operator means, to run something on it.
 *
 * @throws AppError as {@link findNode}, and `dispatch.not_trusted` for a device that is revoked.
 */
export function resolveNode(devices: Devices, node: string): DeviceRecord {
  const device = findNode(devices, node);
  if (device.state === 'trusted') return device;
  throw dispatchError('not_trusted', `Node ${device.name} is ${device.state}`, {
    hint: `Nothing runs on it until an operator lifts this: palyra devices lift ${device.name}`,
  });
}

/**
 * The device that an operator means: by its id, a unique prefix of it (grouping does not matter), or its name.
 *
 * @throws AppError `dispatch.unknown_node` with near matches, `dispatch.ambiguous_node` with the candidates, and
 *   `identity.invalid_device_id` for a mistyped id.
 */
export function findNode(devices: Devices, node: string): DeviceRecord {
  const all = [...devices.all()].filter(({ state }) => state === 'trusted' || state === 'revoked');
  const prefix = node.replaceAll('-', '').toUpperCase();
  const named = all.filter((device) => device.name === node);
  const byId = prefix === '' ? [] : all.filter((device) => device.id.startsWith(prefix));
  const matches = targetsOf(prefix, named, byId);
  const [device, second] = matches;
  if (!device) {
    refuseMistypedDeviceId(node, 'node');
    const near = didYouMean(
      node,
      all.map((candidate) => candidate.name),
    );
    throw dispatchError('unknown_node', `No node is named ${node}, and no device id starts with it`, {
      fields: [{ field: 'node', message: 'is unknown' }],
      hint: near ?? 'See which there are: `palyra inventory`.',
    });
  }
  if (second) {
    throw dispatchError('ambiguous_node', `${node} may be ${matches.map((match) => match.name).join(', ')}`, {
      fields: [{ field: 'node', message: `is the start of ${matches.length} device ids` }],
      hint: 'Give more characters, or the name.',
    });
  }
  return device;
}

/** A machine proposes its own name, and may choose what stands on a screen as the id of another one. */
function targetsOf(
  prefix: string,
  named: readonly DeviceRecord[],
  byId: readonly DeviceRecord[],
): readonly DeviceRecord[] {
  const exact = byId.filter((device) => device.id === prefix);
  if (exact.length > 0) return exact;
  if (prefix.length >= shownIdLength && byId.length > 0) return [...new Set([...byId, ...named])];
  return named.length > 0 ? named : byId;
}

/**
 * The descriptor that runs when this capability is called on this node.
 *
 * @throws AppError `dispatch.unknown_capability` (near matches), `dispatch.not_approved` (what is missing).
 */
export function resolveCapability(
  device: DeviceRecord,
  capability: string,
  surface: CompiledSurface,
  catalog: Catalog,
): CatalogEntry {
  const offered = surface.offered(device, capability);
  if (!offered) {
    const names = device.offered
      .filter((one) => surface.status(device, one) === 'available')
      .map((one) => one.capability);
    const near = didYouMean(capability, names);
    const known =
      names.length === 0 ? 'It offers none that may be called.' : `It has ${names.sort().join(', ')}.`;
    throw dispatchError('unknown_capability', `Node ${device.name} has no capability ${capability}`, {
      fields: [{ field: 'capability', message: 'is unknown on this node' }],
      hint: near === undefined ? known : `${near} ${known}`,
    });
  }
  const status = surface.status(device, offered);
  const entry = status === 'available' ? catalog.get(offered.digest) : undefined;
  if (entry) return entry;
  const missing =
    status === 'not_enabled'
      ? {
          why: `its plugin ${offered.plugin} is not enabled`,
          hint: 'Add it to plugins.enabled in palyra.yaml.',
        }
      : {
          why: 'this version of it is not approved for the node',
          hint: `See what it offers and approve it: palyra surfaces show ${device.name}:${capability}`,
        };
  throw dispatchError('not_approved', `${capability} may not run on ${device.name}: ${missing.why}`, {
    hint: missing.hint,
  });
}
