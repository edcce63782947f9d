import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { formatPinCode, newPinCode, parsePinCode, pinPassword, slotPattern } from './pin-code.js';

function errorOf(text: string): AppError {
  try {
    parsePinCode(text);
  } catch (error) {
    if (error instanceof AppError && error.code === 'identity.invalid_pin') return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('PIN code', () => {
  it('is a slot of two digits and six digits, and reads back as people type it', () => {
    for (let i = 0; i < 200; i++) {
      const code = newPinCode(new Set());
      const text = formatPinCode(code);
      expect(text).toMatch(/^[1-9][0-9]-[0-9]{6}$/);
      expect(code.slot).toMatch(slotPattern);
      for (const typed of [text, ` ${text}\n`, text.replace('-', ' '), text.replace('-', ' - ')]) {
        const read = parsePinCode(typed);
        expect([read.slot, read.pin.reveal()]).toEqual([code.slot, code.pin.reveal()]);
      }
    }
  });

  it('spreads over all slots that are not taken, and over all PINs', () => {
    const taken = new Set(Array.from({ length: 80 }, (_, i) => String(i + 10)));
    const codes = Array.from({ length: 400 }, () => newPinCode(taken));
    expect([...new Set(codes.map((code) => code.slot))].sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => String(i + 90)),
    );
    const firstDigits = new Set(codes.map((code) => code.pin.reveal().charAt(0)));
    expect(firstDigits.size).toBe(10);
    for (let i = 90; i < 100; i++) taken.add(String(i));
    expect(() => newPinCode(taken)).toThrow(RangeError);
  });

  it.each([
    ['', 'code', 'is empty'],
    ['47193082', 'code', 'has not two parts'],
    ['47-193-082', 'code', 'has not two parts'],
    ['4-193082', 'slot', 'is not a number from 10 to 99'],
    ['07-193082', 'slot', 'is not a number from 10 to 99'],
    ['x7-193082', 'slot', 'is not a number from 10 to 99'],
    ['47-19308', 'pin', 'has 5 digits instead of 6'],
    ['47-1930822', 'pin', 'has 7 digits instead of 6'],
    ['47-19308O', 'pin', 'has something else than digits'],
    ['47-１９３０８２', 'pin', 'has something else than digits'],
  ])('%j is refused, and %s is named', (text, field, problem) => {
    const error = errorOf(text);
    expect(error.fields?.[0]?.field).toBe(field);
    expect(error.message).toContain(problem);
    if (text.length > 5) expect(JSON.stringify(error.toEnvelope())).not.toContain(text);
  });

  it('is not printed', () => {
    const code = newPinCode(new Set());
    expect(inspect(code, { depth: 9 }) + JSON.stringify(code)).not.toContain(code.pin.reveal());
  });

  it('gives one password for one slot and PIN, without holding up the event loop', async () => {
    const of = async (slot: string, pin: string) =>
      (await pinPassword({ slot, pin: new Secret(pin) })).reveal().scalar;
    let turns = 0;
    const count = setInterval(() => {
      turns += 1;
    }, 1);
    const first = await of('47', '193082');
    clearInterval(count);
    expect(turns).toBeGreaterThan(5);
    expect(await of('47', '193082')).toBe(first);
    expect(await of('48', '193082')).not.toBe(first);
    expect(await of('47', '193083')).not.toBe(first);
    // The protocol's parameters, so that they do not change unnoticed: other nodes compute the same.
    expect(first.toString(16)).toBe('67cd1ba15f578d6a0da06b70082a4e7abd6f71ebcaf0442018841174fd9bd669');
  });
});
