import { expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { grantFromWire } from './grant-codec.js';

const whole = {
  certificate: '-----BEGIN CERTIFICATE-----',
  caCertificates: ['-----BEGIN CERTIFICATE-----'],
  nodeAddresses: ['127.0.0.1:7444'],
  enrollmentAddresses: ['127.0.0.1:7443'],
};

it('takes what a daemon gives with a certificate', () => {
  expect(grantFromWire(whole)).toEqual(whole);
});

it.each([
  ['certificate', { certificate: '' }],
  ['caCertificates', { caCertificates: [] }],
  ['nodeAddresses', { nodeAddresses: [] }],
  ['enrollmentAddresses', { enrollmentAddresses: [] }],
])('asks again when a daemon gives no %s, with which a node could never come back', (name, part) => {
  const take = () => grantFromWire({ ...whole, ...part });
  expect(take).toThrow(AppError);
  expect(take).toThrow(expect.objectContaining({ code: 'link.incomplete', retryable: true }));
  expect(take).toThrow(`The daemon's answer has no ${name}`);
});
