import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.js';
import { bestManager, managerOf } from './choose-manager.js';
import type { RunTool, ToolAnswer } from './run-tool.js';
import { serviceError } from './service-errors.js';
import type { ServiceSpec } from './service-manager.js';

let home: string;
let calls: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'palyra-managers-'));
  calls = [];
});
afterEach(() => rmSync(home, { recursive: true }));

const spec = (): ServiceSpec => ({
  name: 'palyra-node',
  description: 'Palyra node host',
  command: ['/usr/bin/node', '/opt/palyra.js'],
  stateDirectory: join(home, 'state'),
  stopMs: 1_000,
});

/** A system on which programs answer so; those that are not named are missing. */
function system(answers: (call: string) => Partial<ToolAnswer> | undefined): RunTool {
  return async (program, args) => {
    const call = [program, ...args].join(' ');
    calls.push(call);
    const answer = answers(call);
    if (answer === undefined) throw serviceError('manager_missing', `There is no program ${program}`);
    return { code: 0, stdout: '', stderr: '', ...answer };
  };
}

const options = (run: RunTool, platform: NodeJS.Platform = 'linux') => ({
  run,
  clock: systemClock,
  env: { HOME: home },
  platform,
  program: 'palyra node (service)',
});

const linux = (show: string) =>
  system((call) => {
    if (call.includes('--property=Version')) return { stdout: '255\n' };
    if (call.startsWith('systemctl --user show')) return { stdout: show };
    return {};
  });

describe('the manager of a machine', () => {
  it.each([
    ['systemd', 'linux', linux('')],
    ['detached', 'linux', system(() => undefined)],
    ['detached', 'linux', system(() => ({ code: 1, stderr: 'Failed to connect to bus' }))],
    ['launchd', 'darwin', system(() => ({}))],
    ['detached', 'freebsd', system(() => ({}))],
  ] as const)('is %s on %s, if it answers', async (kind, platform, run) => {
    expect(await bestManager(options(run, platform))).toBe(kind);
  });

  it('is not taken where it does not answer', async () => {
    await expect(managerOf('systemd', spec(), options(system(() => undefined)))).rejects.toMatchObject({
      code: 'service.manager_missing',
    });
  });
});

describe('systemd', () => {
  it('is told of a unit once, of another one again, and of its end', async () => {
    const run = linux('ActiveState=inactive');
    const manager = await managerOf('systemd', spec(), options(run));
    const [file = ''] = manager.files;
    expect(file).toBe(join(home, '.config', 'systemd', 'user', 'palyra-node.service'));
    expect(await manager.install()).toBe('created');
    expect(await manager.install()).toBe('unchanged');
    const other = await managerOf('systemd', { ...spec(), stopMs: 60_000 }, options(run));
    expect(await other.install()).toBe('changed');
    expect(readFileSync(file, 'utf8')).toContain('TimeoutStopSec=65s');
    calls.length = 0;
    expect(await manager.uninstall()).toEqual([file]);
    expect(calls).toEqual([
      'systemctl --user disable palyra-node.service',
      'systemctl --user daemon-reload',
      'systemctl --user reset-failed palyra-node.service',
    ]);
    expect(existsSync(file)).toBe(false);
    expect(await manager.uninstall()).toEqual([]);
  });

  it.each([
    ['ActiveState=active\nSubState=running\nMainPID=42\nResult=success', { state: 'running', pid: 42 }],
    ['ActiveState=activating\nSubState=start\nMainPID=42', { state: 'running', pid: 42 }],
    [
      'ActiveState=activating\nSubState=auto-restart\nMainPID=0\nResult=exit-code',
      { state: 'waiting', detail: 'exit-code' },
    ],
    [
      'ActiveState=failed\nSubState=failed\nMainPID=0\nResult=watchdog',
      { state: 'stopped', detail: 'watchdog' },
    ],
    ['ActiveState=inactive\nSubState=dead\nMainPID=0\nResult=success', { state: 'stopped' }],
  ])('that says %j means it', async (show, state) => {
    const manager = await managerOf('systemd', spec(), options(linux(show)));
    expect(await manager.state()).toEqual(state);
  });

  it('is not asked to stop what does not run, and its refusal is told', async () => {
    const idle = await managerOf('systemd', spec(), options(linux('ActiveState=inactive')));
    expect(await idle.stop()).toBe('was not running');
    const refusing = system((call) =>
      call.includes('--property=Version') ? { stdout: '255' } : { code: 1, stderr: 'Unit is masked.\n' },
    );
    await expect((await managerOf('systemd', spec(), options(refusing))).start()).rejects.toMatchObject({
      code: 'service.manager_failed',
      message: '`systemctl --user start --no-block palyra-node.service` failed: Unit is masked.',
    });
  });
});

describe('launchd', () => {
  it('loads, names and unloads an agent', async () => {
    let isLoaded = false;
    const run = system((call) => {
      if (call.startsWith('launchctl bootstrap')) isLoaded = true;
      if (call.startsWith('launchctl bootout')) isLoaded = false;
      if (!call.startsWith('launchctl print')) return {};
      return isLoaded ? { stdout: 'gui/1 = {\n\tpid = 42\n\tlast exit code = 0\n}' } : { code: 113 };
    });
    const manager = await managerOf('launchd', spec(), options(run, 'darwin'));
    const [file = ''] = manager.files;
    expect(await manager.install()).toBe('created');
    expect(await manager.install()).toBe('unchanged');
    await manager.start();
    await manager.start();
    expect(calls.filter((call) => call.startsWith('launchctl bootstrap'))).toEqual([
      `launchctl bootstrap gui/${process.getuid?.()} ${file}`,
    ]);
    expect(await manager.state()).toEqual({ state: 'running', pid: 42 });
    expect(await manager.stop()).toBe('stopped');
    expect(await manager.stop()).toBe('was not running');
    expect(await manager.uninstall()).toEqual([file]);
    expect(existsSync(file)).toBe(false);
  });
});
