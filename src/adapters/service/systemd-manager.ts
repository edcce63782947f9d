import { join } from 'node:path';
import { mustRun, type RunTool } from './run-tool.js';
import type { ServiceManager, ServiceSpec, ServiceState, Stopped } from './service-manager.js';
import { renderUnit, type SystemdAbilities } from './systemd-unit.js';
import { hasUnitFile, removeUnitFile, writeUnitFile } from './unit-file.js';

export interface SystemdOptions {
  readonly run: RunTool;
  /** The folder of the user's units: `~/.config/systemd/user`. */
  readonly unitFolder: string;
  readonly abilities: SystemdAbilities;
}

/** systemd waits for the program, and kills it; this is on top of what the unit says. */
const answerReserveMs = 20_000;

/**
 * What the systemd of this user can do; undefined when there is none that answers, as in most containers and for users who are
 * not logged in.
 */
export async function systemdAbilities(run: RunTool): Promise<SystemdAbilities | undefined> {
  try {
    const answer = await run('systemctl', ['--user', 'show', '--property=Version', '--value']);
    const version = Number.parseInt(answer.stdout.trim(), 10);
    if (answer.code !== 0 || !Number.isSafeInteger(version)) return undefined;
    return { version, notify: await hasNotify(run) };
  } catch {
    return undefined;
  }
}

async function hasNotify(run: RunTool): Promise<boolean> {
  return run('systemd-notify', ['--version']).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** A unit of the systemd of this user, enabled for each of its sessions. */
export function systemdManager(spec: ServiceSpec, options: SystemdOptions): ServiceManager {
  const { run, unitFolder, abilities } = options;
  const unit = `${spec.name}.service`;
  const file = join(unitFolder, unit);
  const systemctl = (args: readonly string[], limitMs?: number) =>
    mustRun(run, 'systemctl', ['--user', ...args], limitMs);

  const state = async (): Promise<ServiceState> => {
    const properties = ['ActiveState', 'SubState', 'MainPID', 'Result', 'NRestarts'];
    const { stdout } = await systemctl(['show', unit, ...properties.map((name) => `--property=${name}`)]);
    return stateOf(new Map(stdout.split('\n').map(pair)));
  };

  return {
    kind: 'systemd',
    files: [file],
    state,
    install: async () => {
      const written = await writeUnitFile(file, renderUnit(spec, abilities));
      // Also when nothing was written: an installation may have been broken off after that.
      await systemctl(['daemon-reload']);
      await systemctl(['enable', unit]);
      return written;
    },
    uninstall: async () => {
      if (!(await hasUnitFile(file))) return [];
      await systemctl(['disable', unit]);
      const removed = await removeUnitFile(file);
      await systemctl(['daemon-reload']);
      // What is left of a unit that failed once would be listed for ever. It may not be loaded any more.
      await run('systemctl', ['--user', 'reset-failed', unit]);
      return removed ? [file] : [];
    },
    start: async () => {
      await systemctl(['start', '--no-block', unit]);
    },
    stop: async (): Promise<Stopped> => {
      const before = await state();
      if (before.state === 'stopped') return 'was not running';
      await systemctl(['stop', unit], spec.stopMs + answerReserveMs);
      return (await state()).detail === 'timeout' ? 'killed' : 'stopped';
    },
  };
}

function pair(line: string): [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).trim()];
}

function stateOf(properties: ReadonlyMap<string, string>): ServiceState {
  const text = (name: string): string => properties.get(name) ?? '';
  const pid = Number.parseInt(text('MainPID'), 10);
  const result = text('Result');
  const detail = result === '' || result === 'success' ? {} : { detail: result };
  if (text('SubState') === 'auto-restart' || text('SubState') === 'auto-restart-queued') {
    return { state: 'waiting', ...detail };
  }
  const isUp = ['active', 'activating', 'deactivating', 'reloading'].includes(text('ActiveState'));
  if (!isUp) return { state: 'stopped', ...detail };
  return { state: 'running', ...(pid > 0 ? { pid } : {}), ...detail };
}
