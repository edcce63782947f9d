import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toAppError } from '../../kernel/errors.js';
import { callHost } from './control-client.js';
import { controlError } from './control-errors.js';
import { type ControlServer, openControlServer } from './control-server.js';

let folder: string;
let server: ControlServer | undefined;
let aborted: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-control-'));
  aborted = 0;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

const handlers = {
  echo: (request: object) => ({ request }),
  count: (_: object, say: (event: object) => void) => {
    for (let at = 0; at < 3; at++) say({ at });
    return { done: true };
  },
  fail: () => {
    throw controlError('busy', 'Not now', { hint: 'Later.' });
  },
  hang: (_: object, _say: (event: object) => void, signal: AbortSignal) =>
    new Promise<object>(() => signal.addEventListener('abort', () => (aborted += 1))),
};

async function open(directory = folder): Promise<void> {
  server = await openControlServer({ directory, handlers });
}

const call = (op: string, more: object = {}, directory = folder, limitMs = 10_000) =>
  callHost({ directory, request: { ...more, op }, limitMs });

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error) => toAppError(error).code,
  );

describe('the line to a running host', () => {
  it('takes a request and gives its answer, what is said before, or why not', async () => {
    await open();
    expect(await call('echo', { value: 'é\n' })).toEqual({ request: { op: 'echo', value: 'é\n' } });
    const events: unknown[] = [];
    const request = { op: 'count' };
    const onEvent = (event: unknown) => events.push(event);
    expect(await callHost({ directory: folder, request, limitMs: 10_000, onEvent })).toEqual({ done: true });
    expect(events).toEqual([{ at: 0 }, { at: 1 }, { at: 2 }]);
    await expect(call('fail')).rejects.toMatchObject({ code: 'control.busy', hint: 'Later.' });
    expect(statSync(join(folder, 'control.sock')).mode & 0o777).toBe(0o600);
  });

  it.each(['nothing', 'toString', '__proto__', 'constructor'])('knows no operation %s', async (op) => {
    await open();
    expect(await codeOf(call(op))).toBe('control.bad_request');
  });

  it('says that nobody is there where no host runs, and takes over the socket of one that died', async () => {
    expect(await codeOf(call('echo'))).toBe('control.not_running');
    expect(await codeOf(call('echo', {}, join(folder, 'nowhere')))).toBe('control.not_running');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(join(folder, 'dead.sock'), resolve));
    // A file that is no socket is nothing to talk to.
    writeFileSync(join(folder, 'control.sock'), '');
    expect(await codeOf(call('echo'))).toBe('control.not_running');
    await new Promise((resolve) => dead.close(resolve));
    await open();
    expect(await call('echo')).toEqual({ request: { op: 'echo' } });
    await server?.close();
    server = undefined;
    expect(await codeOf(call('echo'))).toBe('control.not_running');
  });

  it('is waited for no longer than is asked for', async () => {
    await open();
    expect(await codeOf(call('hang', {}, folder, 50))).toBe('control.no_answer');
    await expect.poll(() => aborted).toBe(1);
    const over = new AbortController();
    const hanging = callHost({
      directory: folder,
      request: { op: 'hang' },
      limitMs: 10_000,
      signal: over.signal,
    });
    over.abort();
    expect(await codeOf(hanging)).toBe('control.ended');
  });

  it.skipIf(process.platform !== 'linux')(
    'works in a directory whose path is too long for a socket',
    async () => {
      const deep = join(folder, 'd'.repeat(120), 'e'.repeat(120));
      mkdirSync(deep, { recursive: true, mode: 0o700 });
      await open(deep);
      expect(await call('echo', {}, deep)).toEqual({ request: { op: 'echo' } });
      await server?.close();
      server = undefined;
      expect(await codeOf(call('echo', {}, deep))).toBe('control.not_running');
    },
  );

  it('is not held up by who talks nonsense, too long, or not at all', async () => {
    await open();
    const said = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(join(folder, 'control.sock'));
        let answer = '';
        socket.on('data', (chunk) => (answer += chunk.toString()));
        socket.on('close', () => resolve(answer));
        socket.on('error', () => resolve(answer));
        socket.write(text);
      });
    expect(await said('nonsense\n')).toContain('control.bad_request');
    expect(await said('[]\n')).toContain('control.bad_request');
    expect(await said('"x"\n')).toContain('control.bad_request');
    expect(await said('x'.repeat(200_000))).toContain('control.bad_request');
    // One request to a connection: what comes after it is not heard.
    expect(await said('{"op":"echo"}\n{"op":"fail"}\n')).toBe('{"result":{"request":{"op":"echo"}}}\n');
    const idle: Socket[] = [];
    for (let at = 0; at < 16; at++) {
      const socket = connect(join(folder, 'control.sock'));
      await new Promise((resolve) => socket.once('connect', resolve));
      idle.push(socket);
    }
    expect(await codeOf(call('echo'))).toBe('control.busy');
    for (const socket of idle) socket.destroy();
    await expect.poll(() => codeOf(call('echo'))).toBe('answered');
  });
});
