import { createPublicKey, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { Secret } from '../../kernel/secret.js';
import { freshKeys, privateKeyFromPem, privateKeyToPem, publicKeyToDer } from './keys.js';

const pair = await freshKeys.ed25519();

test('a private key comes back from its PEM, and only a private key does', () => {
  const pem = privateKeyToPem(pair.privateKey);
  expect(`${pem}`).toBe('[secret]');
  const key = privateKeyFromPem(pem);
  const data = Buffer.from('data');
  expect(verify(null, data, pair.publicKey, sign(null, data, key))).toBe(true);
  const encrypted = pair.privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: 'of another program',
  });
  for (const wrong of ['nonsense', encrypted.toString()]) {
    expect(() => privateKeyFromPem(new Secret(wrong))).toThrow(
      expect.objectContaining({ code: 'pki.invalid_key' }),
    );
  }
});

test('RSA keys have the size asked for and the exponent 65537, and a public key travels as DER', async () => {
  const rsa = await freshKeys.rsa(2048);
  expect(rsa.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n });
  const back = createPublicKey({ key: publicKeyToDer(rsa.publicKey), format: 'der', type: 'spki' });
  expect(back.equals(rsa.publicKey)).toBe(true);
});
