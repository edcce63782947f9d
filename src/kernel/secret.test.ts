import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import { errorTable, toAppError } from './errors.js';
import { Secret } from './secret.js';

const value = 'hunter2';
const secret = new Secret(value);
const ofBytes = new Secret(Buffer.from(value));
const testError = errorTable('test', { failed: { category: 'internal', retryable: false } });

/** What arrives at the other end of a message port: what a worker thread would get. */
function posted(message: object): unknown {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(message);
  const received = receiveMessageOnPort(port2)?.message;
  port1.close();
  return received;
}

function everyProperty(object: object): string {
  const own = Object.getOwnPropertyDescriptors(object);
  return inspect({ own, symbols: Object.getOwnPropertySymbols(object), names: Reflect.ownKeys(object) });
}

function thrown(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

const ways: Readonly<Record<string, () => unknown>> = {
  'a template string': () => `key: ${secret} ${ofBytes}`,
  joining: () => ['', secret, ofBytes].join() + 'x'.concat(secret as unknown as string),
  String: () => String(secret) + String(ofBytes),
  arithmetic: () => [Number(secret), +(secret as unknown as number)].join(),
  'JSON.stringify': () => JSON.stringify([secret, { secret, deep: { ofBytes } }]),
  'JSON.stringify with a list of keys': () => JSON.stringify({ secret }, ['secret', '#value', 'value']),
  'util.inspect': () => inspect([secret, ofBytes, new Map([[secret, ofBytes]]), new Set([secret])]),
  'util.inspect of everything': () =>
    inspect({ secret, ofBytes }, { depth: 9, showHidden: true, getters: true }),
  'util.inspect that ignores custom inspection': () =>
    inspect({ secret, ofBytes }, { customInspect: false, showHidden: true, depth: 9 }),
  'util.format': () => format('%s %o %O %j %d %i', secret, secret, secret, secret, secret, secret),
  structuredClone: () => inspect(structuredClone({ secret, ofBytes }), { showHidden: true }),
  'a message to a thread': () => inspect(posted({ secret, ofBytes }), { showHidden: true }),
  'v8.serialize': () => serialize({ secret, ofBytes }).toString('latin1'),
  spread: () => JSON.stringify({ ...secret, ...ofBytes }),
  'Object.assign': () => JSON.stringify(Object.assign({}, secret)),
  'Object.entries': () => JSON.stringify([Object.entries(secret), Object.values(ofBytes)]),
  reflection: () => everyProperty(secret) + everyProperty(ofBytes),
  'the message of an error': () => new Error(`failed with ${secret}`).message,
  'the cause of an error': () => inspect(new Error('failed', { cause: secret }), { depth: 9 }),
  'the details of an AppError': () => {
    const error = testError('failed', 'It failed', { details: { secret }, cause: ofBytes });
    return inspect(error, { depth: 9 }) + JSON.stringify(error) + JSON.stringify(error.toEnvelope());
  },
  'a thrown secret': () => inspect(toAppError(secret), { depth: 9 }),
  'a TypeError about it': () => inspect(thrown(() => (secret as unknown as () => void)())),
  'a URL': () => new URL(`https://host/?q=${secret}`).href + new URLSearchParams({ q: `${secret}` }),
};

test.each(Object.entries(ways))('a secret does not show in %s', (_name, way) => {
  const shown = String(way());
  for (const form of [value, Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64')]) {
    expect(shown).not.toContain(form);
  }
  expect(shown).not.toContain(Buffer.from(value).join(', '));
  expect(shown).not.toContain(Buffer.from(value).join());
});

test('the ways above find a value that is not secret', () => {
  const open = { secret: value };
  expect(inspect(structuredClone(open))).toContain(value);
  expect(inspect(posted(open))).toContain(value);
  expect(serialize(open).toString('latin1')).toContain(value);
});

test('a secret does not show on the console or in an uncaught error of a real process', () => {
  const module = readFileSync(new URL('secret.ts', import.meta.url), 'utf8');
  const program = `
    const secret = new Secret('hunter2');
    console.log(secret, { secret }, '%s', secret);
    console.dir({ secret }, { showHidden: true });
    console.table([{ secret }]);
    console.error(new Error('failed', { cause: secret }));
    throw secret;`;
  const { code } = transformSync(module + program, { loader: 'ts', format: 'esm' });
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  expect(child.status).toBe(1);
  expect(child.stdout).toContain('[secret]');
  // Node prints the source around what was thrown, which is the program above.
  const stderr = child.stderr.replaceAll("new Secret('hunter2')", '');
  expect(child.stdout + stderr).not.toContain(value);
});

test('a secret gives its value to reveal alone', () => {
  expect(secret.reveal()).toBe(value);
  expect(ofBytes.reveal()).toEqual(Buffer.from(value));
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
  expect(Object.isFrozen(secret)).toBe(true);
});
