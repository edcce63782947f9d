import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isRunning, processIdentity } from './process-identity.js';

test('a process has the same identity each time it is asked for, and another process has another', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  await once(child, 'spawn');
  const identity = processIdentity(child.pid ?? 0);
  expect(identity).toEqual(processIdentity(child.pid ?? 0));
  expect(identity?.startedAt).not.toBe(processIdentity(process.pid)?.startedAt);
  expect(identity !== undefined && isRunning(identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(identity !== undefined && isRunning(identity)).toBe(false);
  expect(processIdentity(child.pid ?? 0)).toBeUndefined();
});

test('the pid of a running process with another start time is another process', () => {
  expect(isRunning({ pid: process.pid, startedAt: 'before' })).toBe(false);
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 40])('%d is no process', (pid) => {
  expect(processIdentity(pid)).toBeUndefined();
});

test.runIf(process.platform === 'linux')(
  'a name with parentheses and spaces does not shift the fields',
  async () => {
    const child = spawn(process.execPath, [
      '-e',
      "process.title = 'a) R 1 (b'; console.log('x'); process.stdin.resume()",
    ]);
    await once(child.stdout, 'data');
    const odd = Number(processIdentity(child.pid ?? 0)?.startedAt.split('/')[1]);
    const own = Number(processIdentity(process.pid)?.startedAt.split('/')[1]);
    child.kill('SIGKILL');
    expect(odd).toBeGreaterThanOrEqual(own);
  },
);
