import { randomInt, scrypt } from 'node:crypto';
import type { AppError } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { identityError } from './identity-errors.js';
import { lengthPrefixed } from './length-prefixed.js';
import { passwordHashLength, Spake2Password } from './spake2.js';

/** Slots, public: two digits, so that none begins with a zero that people leave out. */
const slots = { first: 10, last: 99 } as const;
const pinDigits = 6;

/** What a slot looks like on the wire. */
export const slotPattern = /^[1-9][0-9]$/;

const saltLabel = 'palyra pin v1';
/** scrypt (RFC 7914): 32 MiB and about 100 ms for each PIN that is tried by someone who has stolen what PINs are compared with. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };

/** A PIN code, written `<slot>-<PIN>`. The slot names the code and is public; the PIN proves that one was invited. */
export interface PinCode {
  readonly slot: string;
  /** 6 digits. */
  readonly pin: Secret<string>;
}

/**
 * A new PIN code with a slot that is not among the taken ones.
 *
 * @throws RangeError when all 90 slots are taken: a caller bounds the codes that live at once.
 */
export function newPinCode(taken: ReadonlySet<string>): PinCode {
  const free = [];
  for (let slot = slots.first; slot <= slots.last; slot++)
    if (!taken.has(String(slot))) free.push(String(slot));
  const slot = free[free.length === 0 ? 0 : randomInt(free.length)];
  if (slot === undefined) throw new RangeError('All slots are taken');
  return { slot, pin: new Secret(String(randomInt(10 ** pinDigits)).padStart(pinDigits, '0')) };
}

/** A PIN code as people read and type it: `47-193082`. */
export function formatPinCode({ slot, pin }: PinCode): string {
  return `${slot}-${pin.reveal()}`;
}

/**
 * Reads a PIN code as a person typed it: white space around it does not count, nor a blank in place of the hyphen.
 *
 * @throws AppError `identity.invalid_pin` that says which part is wrong. It never shows what was typed.
 */
export function parsePinCode(text: string): PinCode {
  const [slot = '', pin = '', ...rest] = text.trim().split(/ ?- ?| /);
  if (text.trim() === '') throw invalid('code', 'is empty');
  if (rest.length > 0 || pin === '') throw invalid('code', 'has not two parts, joined by a hyphen');
  if (!slotPattern.test(slot)) throw invalid('slot', 'before the hyphen is not a number from 10 to 99');
  if (!/^[0-9]*$/.test(pin)) throw invalid('pin', 'after the hyphen has something else than digits');
  if (pin.length !== pinDigits) {
    throw invalid('pin', `after the hyphen has ${pin.length} digits instead of ${pinDigits}`);
  }
  return { slot, pin: new Secret(pin) };
}

/** What SPAKE2 proves a PIN with. It is as good as the PIN. Takes about 100 ms, beside the event loop. */
export function pinPassword({ slot, pin }: PinCode): Promise<Secret<Spake2Password>> {
  const salt = lengthPrefixed(saltLabel, slot);
  return new Promise((resolve, reject) => {
    scrypt(pin.reveal(), salt, passwordHashLength, cost, (error, hash) => {
      if (error) reject(error);
      else resolve(new Secret(Spake2Password.fromHash(hash)));
    });
  });
}

function invalid(field: 'code' | 'slot' | 'pin', problem: string): AppError {
  const name = { code: 'it', slot: 'the slot', pin: 'the PIN' }[field];
  return identityError('invalid_pin', `This is not a PIN code: ${name} ${problem}`, {
    hint: 'Type it as the operator sees it: two digits, a hyphen, six digits.',
    fields: [{ field, message: problem }],
  });
}
