import { randomFillSync } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const pool = Buffer.alloc(4096);
let used = pool.length;

function randomByte(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++] as number;
}

/** The kinds of ids that the daemon makes, by their prefix. */
export type IdPrefix = 'cl' | 'pc' | 'pr' | 'dp' | 'at' | 'gr' | 'fo';

/**
 * A new id: the prefix, then 10 characters of time and 16 of randomness (80 bits) in Crockford's base32, so that ids of
 * one kind sort by creation. `now` is milliseconds since the epoch.
 */
export function newId(prefix: IdPrefix, now: number): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    time = alphabet.charAt(rest % 32) + time;
  let random = '';
  for (let i = 0; i < 16; i++) random += alphabet.charAt(randomByte() & 31);
  return `${prefix}_${time}${random}`;
}

/** The one pattern of an id of that kind, anchored. */
export function idPattern(prefix: IdPrefix): RegExp {
  return new RegExp(`^${prefix}_[${alphabet}]{26}$`);
}
