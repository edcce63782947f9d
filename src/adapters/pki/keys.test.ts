import { createPublicKey, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { freshKeys, privateKeyFromPem, privateKeyToPem, publicKeyToDer } from './keys.js';

const pair = await freshKeys.ed25519();
const passphrase = new Secret('correct horse');

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

test.each([
  ['plain', undefined],
  ['encrypted', passphrase],
])('a private key comes back from its PEM: %s', (_name, secret) => {
  const pem = privateKeyToPem(pair.privateKey, secret);
  expect(`${pem}`).toBe('[secret]');
  expect(pem.reveal().includes('ENCRYPTED')).toBe(secret !== undefined);
  const key = privateKeyFromPem(pem, secret);
  const data = Buffer.from('data');
  expect(verify(null, data, pair.publicKey, sign(null, data, key))).toBe(true);
});

test('a key that does not open says why', () => {
  const pem = privateKeyToPem(pair.privateKey, passphrase);
  expect(codeOf(() => privateKeyFromPem(pem))).toBe('pki.wrong_passphrase');
  expect(codeOf(() => privateKeyFromPem(pem, new Secret('wrong horse')))).toBe('pki.wrong_passphrase');
  expect(codeOf(() => privateKeyFromPem(new Secret('nonsense')))).toBe('pki.invalid_key');
});

test('RSA keys have the size asked for and the exponent 65537, and a public key travels as DER', async () => {
  const rsa = await freshKeys.rsa(2048);
  expect(rsa.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n });
  const back = createPublicKey({ key: publicKeyToDer(rsa.publicKey), format: 'der', type: 'spki' });
  expect(back.equals(rsa.publicKey)).toBe(true);
});
