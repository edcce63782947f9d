import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { base32, base32Alphabet, luhn32 } from './base32.js';
import { deviceIdOf, formatDeviceId, isDeviceId, parseDeviceId, shortDeviceId } from './device-id.js';

const id = deviceIdOf(Buffer.alloc(32, 7));

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError && error.code === 'identity.invalid_device_id') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('base32', () => {
  // RFC 4648 section 10, without the padding.
  test.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('%s', (text, encoded) => {
    expect(base32(Buffer.from(text))).toBe(encoded);
  });

  test('a check character finds every wrong character and every swap of neighbours but A with 7', () => {
    const text = 'MZXW6YTBOIA7K';
    const check = luhn32(text);
    for (let at = 0; at < text.length; at++) {
      for (const other of base32Alphabet) {
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        if (changed !== text) expect(luhn32(changed)).not.toBe(check);
      }
    }
    const missed: string[] = [];
    for (const a of base32Alphabet) {
      for (const b of base32Alphabet) if (a < b && luhn32(a + b) === luhn32(b + a)) missed.push(a + b);
    }
    expect(missed).toEqual(['7A']);
  });
});

describe('device id', () => {
  test('is the whole hash of the key, with check characters', () => {
    expect(id).toMatch(/^[A-Z2-7]{56}$/);
    const hash = [0, 14, 28, 42].map((start) => id.slice(start, start + 13)).join('');
    expect(hash).toBe(base32(createHash('sha256').update(Buffer.alloc(32, 7)).digest()));
    expect(deviceIdOf(Buffer.alloc(32, 8))).not.toBe(id);
    expect(() => deviceIdOf(Buffer.alloc(31))).toThrow(RangeError);
  });

  test('reads back in every form that people write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const made = deviceIdOf(key);
        expect(isDeviceId(made)).toBe(true);
        expect(formatDeviceId(made)).toMatch(/^([A-Z2-7]{7}-){7}[A-Z2-7]{7}$/);
        for (const text of [
          made,
          made.toLowerCase(),
          formatDeviceId(made),
          formatDeviceId(made).toLowerCase(),
        ]) {
          expect(parseDeviceId(text)).toBe(made);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('any single wrong character is found, and the error names its groups', () => {
    for (let at = 0; at < id.length; at++) {
      const wrong = base32Alphabet.charAt((base32Alphabet.indexOf(id.charAt(at)) + 1 + (at % 30)) % 32);
      const changed = id.slice(0, at) + wrong + id.slice(at + 1);
      const first = Math.floor(at / 14) * 2 + 1;
      expect(messageOf(() => parseDeviceId(changed))).toContain(`groups ${first} and ${first + 1} (`);
    }
  });

  test.each([
    ['a group too short', formatDeviceId(id).replace(/.-/, '-'), 'group 1 has 6 characters instead of 7'],
    ['a group too few', formatDeviceId(id).slice(0, -8), 'it has 7 groups instead of 8'],
    ['cut off', id.slice(0, 40), 'it has 40 characters instead of 56'],
    [
      'a zero',
      `${id.slice(0, 15)}0${id.slice(16)}`,
      "character 16 (group 3) is '0', which no device id has; did you mean 'O'?",
    ],
    ['white space', ` ${id}`, "character 1 (group 1) is ' '"],
    ['nothing', '', 'it has 0 characters'],
    ['another script', 'İ'.repeat(56), 'which no device id has'],
  ])('refuses %s', (_name, text, message) => {
    expect(messageOf(() => parseDeviceId(text))).toContain(message);
  });

  test('only the canonical form is one', () => {
    expect(isDeviceId(id.toLowerCase())).toBe(false);
    expect(isDeviceId(formatDeviceId(id))).toBe(false);
    expect(isDeviceId(randomBytes(28).toString('hex'))).toBe(false);
    expect(shortDeviceId(id)).toBe(id.slice(0, 7));
  });
});
