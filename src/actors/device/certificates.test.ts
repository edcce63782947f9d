import { expect, test } from 'vitest';
import type { IssuedCertificate } from '../authority/device-authority.js';
import { afterUse, fulfils, pendingFor, withPending } from './certificates.js';
import type { DeviceCertificate } from './record.js';

const now = 1_000;
const names = (certificates: readonly DeviceCertificate[] | undefined) =>
  certificates?.map(({ fingerprint, pending }) => (pending ? `${fingerprint} pending` : fingerprint));

function issued(fingerprint: string, notAfter = 2_000): IssuedCertificate {
  return { pem: `pem of ${fingerprint}`, fingerprint, issuer: 'ca', serial: '1', notBefore: 0, notAfter };
}

function used(fingerprint: string, notAfter = 2_000): DeviceCertificate {
  return { fingerprint, issuer: 'ca', serial: '1', notBefore: 0, notAfter };
}

test('a new one is pending beside those in use, and takes the place of another pending one', () => {
  const first = withPending([used('a')], issued('b'), 'request b', 'a', now);
  expect(names(first)).toEqual(['a', 'b pending']);
  const trusts = (issuer: string): boolean => issuer === 'ca';
  expect(pendingFor(first, 'request b', { now, trusts })).toBe('pem of b');
  expect(pendingFor(first, 'request c', { now, trusts })).toBeUndefined();
  // What gets nobody in is not handed out again: it has ended, or its CA was retired.
  expect(pendingFor(first, 'request b', { now: 2_000, trusts })).toBeUndefined();
  expect(pendingFor(first, 'request b', { now, trusts: () => false })).toBeUndefined();
  expect(names(withPending(first, issued('c'), 'request c', 'a', now))).toEqual(['a', 'c pending']);
});

test('the one with which it asks counts as used, whatever the record says: it must not be taken away', () => {
  const first = withPending([], issued('a'), 'request a', undefined, now);
  expect(names(withPending(first, issued('b'), 'request b', 'a', now))).toEqual(['a', 'b pending']);
});

test('what has ended goes, but the last one stays until another is used', () => {
  const all = [used('a', 500), used('b', 900)];
  expect(names(withPending(all, issued('c'), 'request c', undefined, now))).toEqual(['b', 'c pending']);
  expect(names(withPending([used('a', 500), used('b')], issued('c'), 'request c', 'b', now))).toEqual([
    'b',
    'c pending',
  ]);
});

test('a live session ends those before its own, and leaves those after it', () => {
  const all = withPending([used('a')], issued('b'), 'request b', 'a', now);
  expect(names(afterUse(all, 'b'))).toEqual(['b']);
  expect(afterUse(all, 'a')).toBeUndefined();
  expect(afterUse(all, 'unknown')).toBeUndefined();
  const three = withPending(all, issued('c'), 'request c', 'b', now);
  expect(names(three)).toEqual(['a', 'b', 'c pending']);
  expect(names(afterUse(three, 'b'))).toEqual(['b', 'c pending']);
  expect(names(afterUse(three, 'c'))).toEqual(['c']);
});

test('an order to renew is fulfilled by a certificate that was issued since, when it is used', () => {
  const certificates = withPending([used('a')], issued('b'), 'request b', 'a', now);
  const ordered = (at: number) => ({ certificates, rotation: { by: 'operator:ada', at, reason: '' } });
  expect(fulfils(ordered(now), 'b')).toBe(true);
  expect(fulfils(ordered(now), 'a')).toBe(false);
  expect(fulfils(ordered(now + 1), 'b')).toBe(false);
  expect(fulfils({ certificates, rotation: undefined }, 'b')).toBe(false);
});
