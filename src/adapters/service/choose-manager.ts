import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { detachedManager } from './detached-manager.js';
import { launchdManager } from './launchd-manager.js';
import type { RunTool } from './run-tool.js';
import { serviceError } from './service-errors.js';
import type { ManagerKind, ServiceManager, ServiceSpec } from './service-manager.js';
import { systemdAbilities, systemdManager } from './systemd-manager.js';
import type { SystemdAbilities } from './systemd-unit.js';

export interface ManagerOptions {
  readonly run: RunTool;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** See `DetachedOptions`. */
  readonly program: string;
}

/** The manager that this machine has for the user of this process: what is there and answers. */
export async function bestManager({ run, platform }: ManagerOptions): Promise<ManagerKind> {
  if (platform === 'linux' && (await systemdAbilities(run)) !== undefined) return 'systemd';
  const hasLaunchd = platform === 'darwin' && (await answers(run, 'launchctl', ['version']));
  return hasLaunchd ? 'launchd' : 'detached';
}

/**
 * The manager of a kind for a service.
 *
 * @throws AppError `service.manager_missing` when systemd is asked for and does not answer.
 */
export async function managerOf(
  kind: ManagerKind,
  spec: ServiceSpec,
  options: ManagerOptions,
): Promise<ServiceManager> {
  const { run, clock, env, program } = options;
  const home = env.HOME || homedir();
  switch (kind) {
    case 'systemd': {
      const abilities = await requireSystemd(run);
      return systemdManager(spec, { run, abilities, unitFolder: unitFolder(home, env) });
    }
    case 'launchd':
      return launchdManager(spec, {
        run,
        clock,
        agentFolder: join(home, 'Library', 'LaunchAgents'),
        uid: process.getuid?.() ?? 0,
        path: env.PATH ?? '/usr/bin:/bin:/usr/sbin:/sbin',
      });
    case 'detached':
      return detachedManager(spec, { clock, env, program });
  }
}

/** Where the user's systemd looks for units (systemd.unit(5)). */
function unitFolder(home: string, { XDG_CONFIG_HOME: xdg }: NodeJS.ProcessEnv): string {
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.config'), 'systemd', 'user');
}

async function requireSystemd(run: RunTool): Promise<SystemdAbilities> {
  const abilities = await systemdAbilities(run);
  if (abilities) return abilities;
  throw serviceError('manager_missing', 'The systemd of this user does not answer', {
    hint: 'Log in as this user (with `su` there is no session), or let it run without: loginctl enable-linger',
  });
}

function answers(run: RunTool, program: string, args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    ({ code }) => code === 0,
    () => false,
  );
}
