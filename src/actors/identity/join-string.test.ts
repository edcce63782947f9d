import { createPublicKey, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { newId } from '../ids.js';
import { rawPublicKey, signEd25519, verifyEd25519 } from './ed25519.js';
import { formatJoinString, joinKeyFromSecret, parseJoinString } from './join-string.js';

const parts = {
  addresses: ['daemon.example:7443', '192.0.2.1:7443', '[2001:db8::1]:7443'],
  caSha256: Buffer.alloc(32, 0xfb),
  codeId: newId('pc', 1_700_000_000_000),
  secret: new Secret(Buffer.alloc(32, 0xef)),
};
const text = formatJoinString(parts);
const [, , , version, addresses, ca, codeId, secret] = text.split('/') as string[];
const join = (...fields: (string | undefined)[]) => `palyra://join/${fields.join('/')}`;

function errorOf(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError && error.code === 'identity.invalid_join_string') return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('join string', () => {
  test('reads back, with what a paste adds at the ends', () => {
    expect(text).toBe(
      `palyra://join/v1/${addresses}/${'-_v7'.repeat(10)}-_s/${parts.codeId}/${'7-_v'.repeat(10)}7-8`,
    );
    expect(text).not.toMatch(/[?&'"$`\\;|<>()#! ]/);
    for (const pasted of [text, `  ${text}\n`, `'${text}'`, `" ${text}"\r\n`]) {
      const read = parseJoinString(pasted);
      expect(read).toMatchObject({
        addresses: parts.addresses,
        caSha256: parts.caSha256,
        codeId: parts.codeId,
      });
      expect(read.secret.reveal()).toEqual(parts.secret.reveal());
    }
  });

  test('the secret is not printed', () => {
    const read = parseJoinString(text);
    expect(inspect(read, { depth: 9 })).not.toContain(parts.secret.reveal().toString('hex').slice(0, 8));
    expect(JSON.stringify(read)).toContain('[secret]');
  });

  test.each([
    ['another scheme', text.replace('palyra', 'https'), 'scheme', 'does not start with palyra://join/'],
    ['a later version', join('v2', addresses, ca, codeId, secret), 'version', 'is v2; this program reads v1'],
    ['no version', join(addresses, ca, codeId, secret), 'version', 'is missing'],
    [
      'an address without a port',
      join(version, 'daemon.example', ca, codeId, secret),
      'addresses',
      'place 1',
    ],
    ['a bad second address', join(version, 'a:1,b:0', ca, codeId, secret), 'addresses', 'place 2'],
    [
      'an IPv6 address without brackets',
      join(version, '::1:7443', ca, codeId, secret),
      'addresses',
      'place 1',
    ],
    [
      'an IPv4 address out of range',
      join(version, '300.0.0.1:1', ca, codeId, secret),
      'addresses',
      'place 1',
    ],
    ['a port out of range', join(version, 'a:65536', ca, codeId, secret), 'addresses', 'place 1'],
    ['white space within', join(version, 'a:1, b:2', ca, codeId, secret), 'addresses', 'place 2'],
    [
      'too many addresses',
      join(version, 'a:1,'.repeat(16).concat('a:1'), ca, codeId, secret),
      'addresses',
      'are 17',
    ],
    [
      'a hash of another alphabet',
      join(version, addresses, `+${ca?.slice(1)}`, codeId, secret),
      'caSha256',
      'base64url',
    ],
    [
      'a hash with stray bits',
      join(version, addresses, `${ca?.slice(0, -1)}t`, codeId, secret),
      'caSha256',
      'base64url',
    ],
    ['a foreign code id', join(version, addresses, ca, 'pr_1', secret), 'codeId', 'is not the id of a code'],
    ['a secret too long', `${text}A`, 'secret', 'is not 43 characters'],
    ['more text', `${text}/x`, 'secret', 'is followed by more text'],
    ['one quote only', `'${text}`, 'scheme', 'does not start with'],
    ['a cut before the hash', join(version, addresses), 'caSha256', 'cut off before it'],
    [
      'a cut in the hash',
      join(version, addresses, ca?.slice(0, 20)),
      'caSha256',
      'has 20 characters instead of 43',
    ],
    ['a cut before the code', join(version, addresses, ca, ''), 'codeId', 'cut off before it'],
    ['a cut before the secret', join(version, addresses, ca, codeId), 'secret', 'cut off before it'],
    ['a cut in the secret', text.slice(0, -1), 'secret', 'has 42 characters instead of 43'],
    ['a flood', `palyra://join/v1/${'a'.repeat(5000)}`, 'scheme', 'is longer than'],
  ])('refuses %s', (_name, wrong, field, message) => {
    const error = errorOf(() => parseJoinString(wrong));
    expect(error.fields?.[0]?.field).toBe(field);
    expect(error.message).toContain(message);
    expect(JSON.stringify(error.toEnvelope())).not.toContain(secret?.slice(0, 20));
  });

  test('is not written when it could not be read', () => {
    expect(errorOf(() => formatJoinString({ ...parts, addresses: ['nowhere'] })).fields?.[0]?.field).toBe(
      'addresses',
    );
    expect(errorOf(() => formatJoinString({ ...parts, addresses: [] })).fields?.[0]?.field).toBe('addresses');
    expect(
      errorOf(() => formatJoinString({ ...parts, secret: new Secret(Buffer.alloc(16)) })).fields?.[0]?.field,
    ).toBe('secret');
  });

  test('its secret stands for one Ed25519 key on both sides', () => {
    const node = joinKeyFromSecret(parseJoinString(text).secret.reveal());
    const daemon = joinKeyFromSecret(parts.secret.reveal());
    expect(node.publicKey).toEqual(daemon.publicKey);
    expect(node.publicKey).toEqual(rawPublicKey(createPublicKey(node.privateKey)));
    expect(node.publicKey.toString('hex')).toMatch(/^[0-9a-f]{64}$/);
    const statement = Buffer.from('statement');
    const signature = signEd25519(node.privateKey, statement);
    expect(verifyEd25519(daemon.publicKey, statement, signature)).toBe(true);
    expect(verifyEd25519(joinKeyFromSecret(randomBytes(32)).publicKey, statement, signature)).toBe(false);
  });
});
