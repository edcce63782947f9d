import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { joinKeyFromSecret, parseJoinString } from '../../src/actors/identity/join-string.js';
import { privateKeyToPem } from '../../src/adapters/pki/keys.js';
import type { JoiningIdentity } from '../../src/node/identity-store.js';
import { refusal } from '../support/attacker.js';
import { LocalDaemon } from '../support/local-daemon.js';

let local: LocalDaemon;
let joinString: string;
let identity: JoiningIdentity;

beforeAll(async () => {
  local = await LocalDaemon.start();
  joinString = await local.mint();
  ({ identity } = await local.enrol('worker', joinString));
  await refusal(local.enrol('second', joinString));
});
afterAll(() => local.close());

/** A secret in every form in which it could have been written. */
function formsOf(secret: Buffer): readonly Buffer[] {
  const texts = [secret.toString('base64url'), secret.toString('base64'), secret.toString('hex')];
  return [secret, ...texts.map((text) => Buffer.from(text))];
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

it('stand on no disk and in no log: the join secret, and on the daemon any key of a node', () => {
  const { secret } = parseJoinString(joinString);
  const seed = joinKeyFromSecret(secret.reveal()).privateKey.export({ format: 'der', type: 'pkcs8' });
  const ofJoin = [secret.reveal(), seed.subarray(-32)].flatMap(formsOf);
  const keys = [identity.identityKey, identity.tlsKey].map((key) => ({
    der: key.export({ format: 'der', type: 'pkcs8' }),
    pemLine: privateKeyToPem(key).reveal().split('\n')[1] ?? '',
  }));
  const ofNode = keys.flatMap(({ der, pemLine }) => [...formsOf(der.subarray(-32)), Buffer.from(pemLine)]);
  const onDaemon = filesBelow(join(local.directory, 'daemon'));
  const onNode = filesBelow(local.directory).filter((file) => /[/]worker-/.test(file));
  expect(onDaemon.some((file) => file.includes('palyra.db'))).toBe(true);
  expect(onNode.length).toBeGreaterThan(2);
  for (const file of [...onDaemon, ...onNode]) {
    const content = readFileSync(file);
    for (const form of ofJoin) expect(content.includes(form), file).toBe(false);
  }
  for (const file of onDaemon) {
    const content = readFileSync(file);
    for (const form of ofNode) expect(content.includes(form), file).toBe(false);
  }
  const log = Buffer.from(inspect(local.log, { depth: 8, maxStringLength: null, maxArrayLength: null }));
  for (const form of [...ofJoin, ...ofNode]) expect(log.includes(form)).toBe(false);
  // The search can find what is there: the node's own disk holds its keys.
  const found = keys.map(({ pemLine }) => onNode.some((file) => readFileSync(file).includes(pemLine)));
  expect(found).toEqual([true, true]);
});

it('are for their owner alone: directory 0700, files 0600', () => {
  const daemon = join(local.directory, 'daemon');
  expect(statSync(daemon).mode & 0o777).toBe(0o700);
  const exposed = filesBelow(daemon).filter((file) => (statSync(file).mode & 0o077) !== 0);
  expect(exposed).toEqual([]);
});
