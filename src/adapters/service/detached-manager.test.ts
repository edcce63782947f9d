import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.js';
import { isRunning, processIdentity } from '../os/process-identity.js';
import { detachedManager } from './detached-manager.js';

const program = 'palyra node (service)';
let folder: string;
let started: number[];
let bystander: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-detached-'));
  mkdirSync(folder, { recursive: true });
  started = [];
});
afterEach(() => {
  bystander?.kill('SIGKILL');
  for (const pid of started) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  rmSync(folder, { recursive: true });
});

/** A service that runs a script of JavaScript, which says that it is up by a file. */
function service(script: string, stopMs = 5_000) {
  const up = join(folder, 'up');
  const source = `${script}; require('fs').writeFileSync(${JSON.stringify(up)}, String(process.pid)); setInterval(() => {}, 1e6);`;
  const manager = detachedManager(
    {
      name: 'test',
      description: 'test',
      command: [process.execPath, '-e', source],
      stateDirectory: folder,
      stopMs,
    },
    { clock: systemClock, env: { ...process.env, PALYRA_TOKEN: 'secret' }, program },
  );
  const isUp = async (): Promise<number> => {
    await expect.poll(() => readIfThere(up), { timeout: 20_000 }).not.toBe('');
    const pid = Number(readIfThere(up));
    started.push(pid);
    return pid;
  };
  return { manager, isUp };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('a detached process', () => {
  it('is started once, found again, and ended in order', async () => {
    const { manager, isUp } = service('process.env.PALYRA_TOKEN && process.exit(1)');
    expect(await manager.state()).toEqual({ state: 'stopped' });
    await manager.start();
    const pid = await isUp();
    await manager.start();
    expect(await manager.state()).toEqual({ state: 'running', pid });
    expect(await manager.stop()).toBe('stopped');
    expect(processIdentity(pid)).toBeUndefined();
    expect(await manager.stop()).toBe('was not running');
  });

  it('that does not end is killed, and its group with it', async () => {
    const children = join(folder, 'child');
    const { manager, isUp } = service(
      `process.on('SIGTERM', () => {}); const c = require('child_process').spawn('sleep', ['1000']); require('fs').writeFileSync(${JSON.stringify(children)}, String(c.pid))`,
      100,
    );
    await manager.start();
    await isUp();
    const child = processIdentity(Number(readFileSync(children, 'utf8')));
    if (child === undefined) throw new Error('It has started nothing');
    expect(await manager.stop()).toBe('killed');
    expect(await manager.state()).toEqual({ state: 'stopped' });
    await expect.poll(() => isRunning(child)).toBe(false);
  });

  it('that was killed is known to be gone', async () => {
    const { manager, isUp } = service('');
    await manager.start();
    process.kill(await isUp(), 'SIGKILL');
    await expect.poll(() => manager.state()).toEqual({ state: 'stopped' });
  });
});

describe('a pid that another process has by now', () => {
  it.each(['service-process.json', 'lock.json'])('in %s is never signalled', async (file) => {
    bystander = spawn('sleep', ['1000']);
    const identity = processIdentity(bystander.pid ?? 0);
    if (identity === undefined) throw new Error('It has not started');
    const { manager } = service('');
    const stale = { pid: identity.pid, startedAt: `${identity.startedAt}0`, program };
    writeFileSync(join(folder, file), JSON.stringify(stale), { mode: 0o600 });
    expect(await manager.state()).toEqual({ state: 'stopped' });
    expect(await manager.stop()).toBe('was not running');
    expect(isRunning(identity)).toBe(true);
  });

  it('is not the one of a host that somebody runs in a terminal either', async () => {
    bystander = spawn('sleep', ['1000']);
    const identity = processIdentity(bystander.pid ?? 0);
    if (identity === undefined) throw new Error('It has not started');
    writeFileSync(join(folder, 'lock.json'), JSON.stringify({ ...identity, program: 'palyra node' }));
    const { manager } = service('');
    expect(await manager.stop()).toBe('was not running');
    await expect(manager.start()).rejects.toMatchObject({
      code: 'service.foreign_host',
      message: expect.stringContaining(`palyra node (pid ${identity.pid})`),
    });
    expect(isRunning(identity)).toBe(true);
  });

  it.each(['', '{}', '{"pid":1}', '{"pid":-1,"startedAt":"x"}', 'null'])(
    'is not read out of %j',
    async (text) => {
      writeFileSync(join(folder, 'service-process.json'), text, { mode: 0o600 });
      expect(await service('').manager.stop()).toBe('was not running');
    },
  );
});
