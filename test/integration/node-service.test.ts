import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { approveAll, ServiceBench } from '../support/service-bench.js';

/** Each of these starts a dozen programs. */
const limitMs = 120_000;

/*
 * The commands of `palyra node` with the built program, a real daemon and real processes: under a systemd that is a script, and
 * without one.
 */

let local: LocalDaemon;
let endApproving: () => void;

beforeAll(async () => {
  local = await LocalDaemon.start();
  endApproving = approveAll(local);
});
afterAll(async () => {
  endApproving();
  await local.close();
});

const json = (text: string) => JSON.parse(text);
const lastEvent = (text: string) => json(text.trim().split('\n').at(-1) ?? '');

describe('under systemd', () => {
  it(
    'is installed once by one paste, runs until it is stopped, and leaves nothing behind',
    async () => {
      const bench = new ServiceBench(true);
      try {
        const joinString = await local.mint();
        const unit = join(bench.home, '.config/systemd/user/palyra-node.service');
        const config = join(bench.home, '.config/palyra/palyra-node.yaml');
        const installed = await bench.palyra(['node', 'install', '-', '--json'], `${joinString}\n`);
        expect(installed).toMatchObject({ code: 0 });
        expect(lastEvent(installed.stdout)).toMatchObject({
          event: 'installed',
          config: { path: config, made: true },
          device: { isNew: true },
          service: { name: 'palyra-node', manager: 'systemd', outcome: 'created', files: [unit] },
          host: { session: { state: 'connected', epoch: expect.any(Number) } },
        });
        const made = readFileSync(unit, 'utf8');
        for (const text of [made, readFileSync(`/proc/${bench.hostPid()}/cmdline`, 'latin1')]) {
          expect(text).not.toContain('palyra://');
        }
        expect(readFileSync(config, 'utf8')).toContain('disabled: []');

        // The host tells systemd that it is up, how it stands, and again and again that it is alive.
        await expect
          .poll(() => bench.calls().filter((call) => call === 'systemd-notify WATCHDOG=1').length, {
            timeout: 10_000,
          })
          .toBeGreaterThan(1);
        const notices = bench.calls().filter((call) => call.startsWith('systemd-notify'));
        expect(notices).toContain('systemd-notify --ready');
        expect(notices.some((call) => call.startsWith('systemd-notify STATUS=Connected as node-'))).toBe(
          true,
        );

        writeFileSync(config, `${readFileSync(config, 'utf8')}# mine\n`);
        const [pid, mine] = [bench.hostPid(), readFileSync(config, 'utf8')];
        const again = await bench.palyra(['node', 'install', joinString, '--json']);
        expect(lastEvent(again.stdout)).toMatchObject({
          config: { made: false },
          device: { isNew: false },
          service: { outcome: 'unchanged' },
        });
        expect([bench.hostPid(), readFileSync(config, 'utf8'), readFileSync(unit, 'utf8')]).toEqual([
          pid,
          mine,
          made,
        ]);

        const changed = await bench.palyra(['node', 'install', '--drain', '2s']);
        expect(changed.stdout).toContain('Changed the service palyra-node (systemd)');
        expect(bench.hostPid()).not.toBe(pid);

        const stopped = await bench.palyra(['node', 'uninstall', '--json']);
        expect(json(stopped.stdout)).toMatchObject({
          service: { name: 'palyra-node', stopped: 'stopped' },
          removed: [unit, join(bench.stateDirectory, 'logs')],
          // It is the owner's by now.
          kept: [config],
        });
        expect(bench.calls()).toContain('systemd-notify STOPPING=1');
        expect(bench.hostPid()).toBe(0);
        expect(readdirSync(bench.stateDirectory)).not.toContain('service.json');
        expect(readdirSync(bench.stateDirectory)).not.toContain('control.sock');
        expect(readdirSync(bench.stateDirectory)).toContain('identity.key');
        expect(readdirSync(join(bench.home, '.config/systemd/user'))).toEqual([]);
      } finally {
        bench.close();
      }
    },
    limitMs,
  );
});

describe('without a manager', () => {
  it(
    'says that it was killed, comes back, is alone, and goes for good when its owner says so',
    async () => {
      const bench = new ServiceBench(false);
      try {
        const nothing = await bench.palyra(['node', 'status', '--json']);
        expect(nothing.code).toBe(3);
        expect(json(nothing.stdout)).toMatchObject({ state: 'stopped' });
        expect((await bench.palyra(['node', 'start', '--json'])).code).toBe(7);

        const installed = await bench.palyra(['node', 'install', '--json', await local.mint()]);
        expect(installed).toMatchObject({ code: 0 });
        const { device, service } = lastEvent(installed.stdout);
        expect(service).toMatchObject({ manager: 'detached', files: [] });

        const running = await bench.palyra(['node', 'status', '--json']);
        expect(running.code).toBe(0);
        expect(json(running.stdout)).toMatchObject({
          state: 'running',
          service: { state: 'running', pid: bench.hostPid() },
          host: {
            deviceId: device.deviceId,
            running: 0,
            certificateEndsAt: expect.stringMatching(/^20/),
            session: { state: 'connected', address: local.daemon.addresses.node },
          },
        });

        const second = await bench.palyra(['node', 'run', '--json']);
        expect(second.code).toBe(6);
        expect(json(second.stdout).error).toMatchObject({
          code: 'state.locked',
          message: expect.stringContaining(`palyra node (service) (pid ${bench.hostPid()})`),
        });

        const killed = bench.hostPid();
        process.kill(killed, 'SIGKILL');
        await expect.poll(() => bench.hostPid()).toBe(0);
        const dead = await bench.palyra(['node', 'status']);
        expect(dead).toMatchObject({ code: 3, stdout: expect.stringContaining('does not run') });
        const started = await bench.palyra(['node', 'start']);
        expect(started).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/runs \(pid \d+\): connected to /),
        });
        expect(bench.hostPid()).not.toBe(killed);

        const log = await bench.palyra(['node', 'logs', '-n', '20']);
        expect(log.stdout).toMatch(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d Connected as /m);

        const gone = await bench.palyra([
          'node',
          'uninstall',
          '--leave',
          '--purge',
          '--yes',
          '--reason',
          'sold',
          '--json',
        ]);
        expect(json(gone.stdout)).toMatchObject({
          service: { stopped: 'stopped' },
          leave: { outcome: 'left', deviceId: device.deviceId },
          removed: expect.arrayContaining([bench.stateDirectory]),
          kept: [],
        });
        expect(existsSync(bench.stateDirectory)).toBe(false);
        expect(existsSync(join(bench.home, '.config/palyra/palyra-node.yaml'))).toBe(false);
        expect(await local.daemon.control.devices.get(admin, device.deviceId)).toMatchObject({
          trust: 'removed',
          decisions: [{ action: 'leave', reason: 'sold' }],
        });
        expect((await bench.palyra(['node', 'uninstall', '--json'])).code).toBe(0);
      } finally {
        bench.close();
      }
    },
    limitMs,
  );

  it(
    'says why there is no session: refused, or a mistake in its configuration',
    async () => {
      const bench = new ServiceBench(false);
      const other = await LocalDaemon.start();
      const endOther = approveAll(other);
      try {
        const installed = await bench.palyra(['node', 'install', '--json', await other.mint()]);
        const { device, config } = lastEvent(installed.stdout);
        await other.daemon.control.devices.decide(admin, device.deviceId, {
          action: 'revoke',
          reason: 'lost',
        });
        const refused = await bench.palyra(['node', 'restart', '--json']);
        expect(refused.code).toBe(5);
        expect(json(refused.stdout).error).toMatchObject({
          code: 'service.refused',
          message: expect.stringContaining('is revoked: lost'),
          hint: expect.stringContaining('goes on trying'),
        });
        expect((await bench.palyra(['node', 'status'])).stdout).toContain('refused by the daemon');

        endOther();
        await other.close();
        writeFileSync(config.path, 'plugins: { enable: [] }\n');
        const wrong = await bench.palyra(['node', 'restart', '--json']);
        expect(wrong.code).toBe(2);
        expect(json(wrong.stdout).error).toMatchObject({ code: 'config.invalid' });
        const status = await bench.palyra(['node', 'status', '--json']);
        expect(status.code).toBe(3);
        expect(json(status.stdout).failure.code).toBe('config.invalid');

        const left = await bench.palyra(['node', 'uninstall', '--leave', '--yes', '--json']);
        expect(left.code).toBe(0);
        expect(json(left.stdout)).toMatchObject({
          leave: { outcome: 'not told', error: { code: 'link.unreachable' } },
        });
        expect(readdirSync(bench.stateDirectory)).toContain('identity.key');
      } finally {
        endOther();
        bench.close();
      }
    },
    limitMs,
  );
});
