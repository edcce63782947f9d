import { describe, expect, test } from 'vitest';
import { preparedKeys } from '../../../test/support/prepared-keys.js';
import { deviceIdOf } from '../../actors/identity/device-id.js';
import { AppError } from '../../kernel/errors.js';
import { type ForgeExtension, signCertificate } from './forge-signer.js';
import { inspectCertificate } from './inspect-certificate.js';
import { deviceUri } from './uri-names.js';

const keys = await preparedKeys.rsa(2048);
const deviceId = deviceIdOf(Buffer.alloc(32, 1));
const uri = { type: 6, value: deviceUri(deviceId) };
const client = { name: 'extKeyUsage', clientAuth: true };

async function deviceOf(altNames: readonly object[], ...extensions: ForgeExtension[]) {
  const name = [{ name: 'commonName', value: deviceId }];
  const der = await signCertificate(
    {
      publicKey: keys.publicKey,
      subject: name,
      issuer: name,
      notBefore: 0,
      notAfter: 1000,
      extensions: [{ name: 'subjectAltName', altNames }, ...extensions],
    },
    keys.privateKey,
  );
  return inspectCertificate(der).deviceId;
}

describe('a certificate names a device', () => {
  test('when it has the one URI and is for clients', async () => {
    expect(await deviceOf([uri], client)).toBe(deviceId);
  });

  test.each([
    ['a second URI', [uri, { type: 6, value: 'palyra://device/x' }]],
    ['the same URI twice', [uri, uri]],
    ['a DNS name beside it', [uri, { type: 2, value: 'localhost' }]],
    ['the URI within a DNS name', [{ type: 2, value: `a, URI:${uri.value}, b` }]],
    ['the URI as a DNS name', [{ type: 2, value: uri.value }]],
    ['more after the id', [{ type: 6, value: `${uri.value}/x` }]],
    ['a lower-case id', [{ type: 6, value: uri.value.toLowerCase() }]],
    ['another kind of name', [{ type: 6, value: `palyra://daemon/${deviceId}` }]],
  ])('not with %s', async (_name, altNames) => {
    expect(await deviceOf(altNames, client)).toBeUndefined();
  });

  test.each([
    ['no purpose at all', []],
    ['the purpose of a server', [{ name: 'extKeyUsage', serverAuth: true }]],
    ['both purposes', [{ name: 'extKeyUsage', clientAuth: true, serverAuth: true }]],
    ['the powers of a CA', [client, { name: 'basicConstraints', cA: true }]],
  ])('not with %s', async (_name, extensions) => {
    expect(await deviceOf([uri], ...extensions)).toBeUndefined();
  });
});

test('what is no certificate is refused', () => {
  expect(() => inspectCertificate('nonsense')).toThrow(AppError);
  expect(() => inspectCertificate(Buffer.alloc(10))).toThrow('This is not an X.509 certificate');
});
