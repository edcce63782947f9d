import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { preparedKeys } from '../../../test/support/prepared-keys.js';
import { deviceIdOf } from '../../actors/identity/device-id.js';
import { AppError } from '../../kernel/errors.js';
import { checkRequest, createRequest } from './csr.js';
import { derElements } from './der.js';
import { publicKeyToDer } from './keys.js';

const deviceId = deviceIdOf(Buffer.alloc(32, 1));
const keys = await preparedKeys.rsa(2048);
const request = await createRequest(keys, deviceId);

function problemOf(der: Uint8Array): string {
  try {
    checkRequest(der);
  } catch (error) {
    if (error instanceof AppError && error.code === 'pki.invalid_request') return error.message;
    throw error;
  }
  return 'accepted';
}

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

/** The same request for another public key; its signature is then wrong, which is looked at last. */
function requestFor(publicKey: KeyObject): Buffer {
  const [info, algorithm, signature] =
    derElements(derElements(request.der)?.[0]?.content ?? Buffer.of()) ?? [];
  const [version, subject, , attributes] = derElements(info?.content ?? Buffer.of()) ?? [];
  if (!version || !subject || !attributes || !algorithm || !signature)
    throw new Error('the request has no shape');
  const changed = element(0x30, version.whole, subject.whole, publicKeyToDer(publicKey), attributes.whole);
  return element(0x30, changed, algorithm.whole, signature.whole);
}

describe('a certificate request', () => {
  test('holds the key, and its digest is that of its bytes', () => {
    expect(checkRequest(request.der).equals(keys.publicKey)).toBe(true);
    expect(request.digest).toEqual(createHash('sha256').update(request.der).digest());
    expect(requestFor(keys.publicKey).equals(request.der)).toBe(true);
  });

  test('is refused when any byte of it was changed', () => {
    fc.assert(
      fc.property(fc.nat(request.der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(request.der);
        changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
        expect(problemOf(changed)).not.toBe('accepted');
      }),
      { numRuns: 300 },
    );
  });

  test('is refused when it was cut, padded, or is something else', () => {
    for (const at of [0, 1, 2, 3, 4, 20, 300, request.der.length - 1]) {
      expect(problemOf(request.der.subarray(0, at))).toContain('is not a PKCS #10 request');
    }
    expect(problemOf(Buffer.concat([request.der, Buffer.of(5, 0)]))).toContain('is not a PKCS #10 request');
    expect(problemOf(Buffer.alloc(4097))).toContain('has 4097 bytes; at most 4096');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => problemOf(bytes) !== 'accepted'));
  });

  test.each([
    [
      'another key than it is signed by',
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      'not signed by its own key',
    ],
    ['a short key', generateKeyPairSync('rsa', { modulusLength: 1024 }), 'an RSA key of 1024 bits'],
    [
      'the exponent 3',
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
      'exponent 3, not 65537',
    ],
    ['an elliptic curve', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'type ec, not RSA'],
    ['the identity key of a device', generateKeyPairSync('ed25519'), 'type ed25519, not RSA'],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }), 'type rsa-pss, not RSA'],
  ])('is refused for %s', (_name, pair, message) => {
    expect(problemOf(requestFor(pair.publicKey))).toContain(message);
  });

  test('is refused for a signature with SHA-1', () => {
    const sha256 = Buffer.from('2a864886f70d01010b', 'hex');
    const changed = Buffer.from(request.der);
    changed.writeUInt8(0x05, request.der.indexOf(sha256) + sha256.length - 1);
    expect(problemOf(changed)).toContain('is not signed with SHA-256 and RSA');
  });
});
