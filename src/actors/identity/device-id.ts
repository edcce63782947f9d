import { createHash } from 'node:crypto';
import type { AppError } from '../../kernel/errors.js';
import { base32, base32Alphabet, luhn32 } from './base32.js';
import { identityError } from './identity-errors.js';

declare const deviceIdBrand: unique symbol;

/**
 * Names a device: 56 characters of upper-case base32 without grouping. They are the SHA-256 of its raw Ed25519 public
 * key, in four parts of 13 characters, each followed by its check character.
 */
export type DeviceId = string & { readonly [deviceIdBrand]: true };

const length = 56;
const groupLength = 7;
/** 13 characters of the hash and their check character: two groups as people read them. */
const partLength = 14;

/** Characters that are not in the alphabet, and the one that was most likely meant. */
const lookAlikes = new Map([
  ['0', 'O'],
  ['1', 'I'],
  ['8', 'B'],
]);

/**
 * The id of the device with that identity key.
 *
 * @param identityKey the raw Ed25519 public key, 32 bytes.
 * @throws RangeError when the key has another length: a caller checks what a peer sent before it asks for its id.
 */
export function deviceIdOf(identityKey: Uint8Array): DeviceId {
  if (identityKey.length !== 32)
    throw new RangeError(`An identity key has 32 bytes, not ${identityKey.length}`);
  const hash = base32(createHash('sha256').update(identityKey).digest());
  let id = '';
  for (let start = 0; start < hash.length; start += partLength - 1) {
    const part = hash.slice(start, start + partLength - 1);
    id += part + luhn32(part);
  }
  return id as DeviceId;
}

/** Whether a text is a device id in its canonical form. */
export function isDeviceId(text: string): text is DeviceId {
  return problemOf(text) === undefined;
}

/**
 * Reads a device id as a person wrote it: upper or lower case, in 8 groups of 7 joined by `-` or in one piece.
 *
 * @param field what the text belongs to; named in the error
 * @throws AppError `identity.invalid_device_id` that says which group or characters are wrong.
 * @example
 * parseDeviceId('mfzwi3d-…'); // 'MFZWI3D…'
 */
export function parseDeviceId(text: string, field = 'deviceId'): DeviceId {
  const upper = text.toUpperCase();
  const grouped = upper.includes('-');
  const problem =
    (grouped ? problemOfGroups(upper.split('-')) : undefined) ?? problemOf(upper.replaceAll('-', ''));
  if (problem !== undefined) throw invalid(problem, field);
  return upper.replaceAll('-', '') as DeviceId;
}

/**
 * Refuses a text that nothing was found by, when whoever wrote it meant a whole device id: one that is about as long.
 *
 * @throws AppError `identity.invalid_device_id` that says which characters are wrong.
 */
export function refuseMistypedDeviceId(text: string, field?: string): void {
  const plain = text.replaceAll('-', '');
  if (/^[A-Za-z0-9]+$/.test(plain) && Math.abs(plain.length - length) <= groupLength)
    parseDeviceId(text, field);
}

/** A device id as people read it: 8 groups of 7 characters joined by `-`. */
export function formatDeviceId(id: string): string {
  return groupsOf(id).join('-');
}

/** The first group of a device id. Good for telling devices apart on a screen, never for deciding anything. */
export function shortDeviceId(id: string): string {
  return id.slice(0, groupLength);
}

function groupsOf(id: string): string[] {
  return Array.from({ length: Math.ceil(id.length / groupLength) }, (_, index) =>
    id.slice(index * groupLength, (index + 1) * groupLength),
  );
}

function problemOfGroups(groups: readonly string[]): string | undefined {
  const wrong = groups.findIndex((group) => group.length !== groupLength);
  if (wrong !== -1) {
    return `group ${wrong + 1} has ${groups[wrong]?.length} characters instead of ${groupLength}`;
  }
  return groups.length === length / groupLength
    ? undefined
    : `it has ${groups.length} groups instead of ${length / groupLength}`;
}

function problemOf(id: string): string | undefined {
  for (const [at, character] of [...id].entries()) {
    if (base32Alphabet.includes(character)) continue;
    const meant = lookAlikes.get(character);
    const advice = meant === undefined ? '' : `; did you mean '${meant}'?`;
    return `character ${at + 1} (group ${Math.floor(at / groupLength) + 1}) is '${character}', which no device id has${advice}`;
  }
  if (id.length !== length) return `it has ${id.length} characters instead of ${length}`;
  for (let start = 0; start < length; start += partLength) {
    const part = id.slice(start, start + partLength);
    if (luhn32(part.slice(0, -1)) === part.slice(-1)) continue;
    const group = start / groupLength + 1;
    return `groups ${group} and ${group + 1} (${formatDeviceId(part)}) do not match their check character`;
  }
  return undefined;
}

function invalid(problem: string, field: string): AppError {
  return identityError('invalid_device_id', `This is not a device id: ${problem}`, {
    hint: 'Copy the id from `palyra inventory` or from the screen of the machine: 8 groups of 7 letters and digits.',
    fields: [{ field, message: problem }],
  });
}
