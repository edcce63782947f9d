import { refuseMistypedDeviceId, shortDeviceId } from '../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Pairing } from '../contract/pairing.js';
import type { PairingState } from '../contract/pairing-states.js';
import { cliError } from './cli-errors.js';

const shortest = 4;

/**
 * The request that a person means: by its id or the beginning of it (with or without `pr_`), or by the beginning of the
 * device id. Requests that wait for a decision go first.
 *
 * @throws AppError `cli.not_found`, `cli.ambiguous` with the candidates, `cli.usage` for less than 4 characters,
 *   `identity.invalid_device_id` for a mistyped id
 */
export async function findPairing(client: ControlPlaneClient, text: string): Promise<Pairing> {
  if (text.length < shortest) {
    throw cliError('usage', `'${text}' is too short to name a request`, {
      hint: `Give at least ${shortest} characters of its id or of the device id.`,
    });
  }
  const pairings = await allPairings(client);
  const id = text.toLowerCase().replace(/^pr_/, '');
  const device = text.toUpperCase().replaceAll('-', '');
  const matches = pairings.filter(
    (pairing) => pairing.id.startsWith(`pr_${id}`) || pairing.deviceId.startsWith(device),
  );
  const waiting = matches.filter(({ state }) => state === 'pending_approval');
  const [found, second] = waiting.length > 0 ? waiting : matches;
  if (found === undefined) {
    refuseMistypedDeviceId(text);
    throw cliError('not_found', `No request to join has an id or a device id that begins with '${text}'`, {
      hint: 'See which there are: palyra pairings list --all',
    });
  }
  if (second === undefined) return found;
  const candidates = (waiting.length > 0 ? waiting : matches).map(
    (pairing) => `${pairing.id} (${shortDeviceId(pairing.deviceId)}, ${pairing.state})`,
  );
  throw cliError('ambiguous', `'${text}' may be ${candidates.slice(0, 5).join(' or ')}`, {
    hint: 'Give more of the id.',
  });
}

/** Every request, page by page. */
export async function allPairings(
  client: ControlPlaneClient,
  state?: readonly PairingState[],
): Promise<readonly Pairing[]> {
  const found: Pairing[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listPairings({
      limit: 500,
      ...(state === undefined ? {} : { state }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.pairings);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
