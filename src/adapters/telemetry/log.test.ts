import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { errorTable } from '../../kernel/errors.js';
import { Secret } from '../../kernel/secret.js';
import { jsonLog } from './log.js';

const joinSecret = 'S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t0';
const joinString = `palyra://join/v1/127.0.0.1:7443,[::1]:7443/${'A'.repeat(43)}/pc_01hzzzzzzzzzzzzzzzzzzzzzzz/${joinSecret}`;
const token = `pat_${'t0k3n_-'.repeat(6)}x`;
const { privateKey } = generateKeyPairSync('ed25519');
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const keyLine = pem.split('\n')[1] ?? '';
const failure = errorTable('test', { failed: { category: 'internal', retryable: false } });

/** The one line that is logged. */
function line(fields: object, message = 'message'): string {
  const lines: string[] = [];
  jsonLog('debug', { write: (text: string) => lines.push(text) }).info(fields, message);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

test.each([
  ['a Secret', { anything: new Secret(token) }, token],
  ['a name', { token: 'plain' }, 'plain'],
  ['a name below others', { request: { headers: { authorization: 'Bearer plain' } } }, 'plain'],
  ['a name in a list', { codes: [{ pin: '193082' }] }, '193082'],
  ['a name that holds more than a text', { secret: { bytes: [104, 117] } }, '104'],
  ['the details of an error', { err: failure('failed', 'x', { details: { passphrase: 'plain' } }) }, 'plain'],
  [
    'the cause of an error',
    { err: failure('failed', 'x', { cause: new Error(`got ${joinString}`) }) },
    joinSecret,
  ],
  ['the stack of an error', { err: new Error(`got ${token}`) }, token],
  ['a key under another name', { note: `it is ${pem}` }, keyLine],
  ['a key that was cut', { note: pem.slice(0, -30) }, keyLine],
  ['a join string under another name', { argv: ['node', 'run', joinString] }, joinSecret],
])('what is secret does not reach the log: %s', (_what, fields, secret) => {
  const text = line(fields);
  expect(text).not.toContain(secret);
  expect(text).toMatch(/\[redacted\]|\[secret\]/);
  expect(JSON.parse(text)).toMatchObject({ msg: 'message', level: 'info' });
});

test('nor does it in the message, and what is public of a join string stays', () => {
  const text = line({}, `refused ${joinString} with ${token} and ${pem}`);
  for (const secret of [joinSecret, token, keyLine]) expect(text).not.toContain(secret);
  expect(text).toContain('pc_01hzzzzzzzzzzzzzzzzzzzzzzz');
  expect(() => JSON.parse(text)).not.toThrow();
});

test('what is no secret is logged as it is', () => {
  const fields = { device: 'MFZWI3D', epoch: 3, err: failure('failed', 'Why', { hint: 'Do this' }) };
  expect(JSON.parse(line(fields))).toMatchObject({
    device: 'MFZWI3D',
    epoch: 3,
    err: { code: 'test.failed', message: 'Why', hint: 'Do this' },
  });
});
