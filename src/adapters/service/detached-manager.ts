import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { directoryHolder, type Holder } from '../os/directory-lock.js';
import { privateDirectory } from '../os/private-directory.js';
import { isRunning, type ProcessIdentity, processIdentity } from '../os/process-identity.js';
import { sendSignal } from '../process/process-tree.js';
import { serviceError } from './service-errors.js';
import type { ServiceManager, ServiceSpec, ServiceState, Stopped } from './service-manager.js';

export interface DetachedOptions {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  /** How the program calls itself where it locks its directory. Another holder is never signalled. */
  readonly program: string;
}

const processFile = 'service-process.json';
const pollMs = 50;
/** How long a killed process is waited for, milliseconds. What stays longer hangs in the kernel. */
const killMs = 5_000;

/** All that a service has of the environment it was started from: no token and no PIN is among it. */
const inherited = [
  ...['HOME', 'USER', 'LOGNAME', 'SHELL', 'PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_DATA_HOME', 'XDG_CURRENT_DESKTOP'],
];

/**
 * A process in a session of its own, for where there is no manager of services. Nobody starts it again, neither when it dies nor
 * when the machine starts.
 *
 * What it was is known by its pid together with its start time, on disk: a pid alone may be another process by now, and such a
 * process is never signalled.
 */
export function detachedManager(spec: ServiceSpec, options: DetachedOptions): ServiceManager {
  const { clock, env, program } = options;
  const { stateDirectory, command, stopMs } = spec;
  const files = privateDirectory(stateDirectory);

  const running = async (): Promise<ProcessIdentity | undefined> => {
    const started = parseProcess(await files.read(processFile).catch(() => undefined));
    if (started !== undefined && isRunning(started)) return started;
    // Whoever started it died before it could write that down.
    const holder = directoryHolder(stateDirectory);
    return holder?.program === program ? holder : undefined;
  };

  return {
    kind: 'detached',
    files: [],
    install: async () => 'unchanged',
    uninstall: async () => {
      await files.remove(processFile);
      return [];
    },
    state: async (): Promise<ServiceState> => {
      const identity = await running();
      return identity === undefined ? { state: 'stopped' } : { state: 'running', pid: identity.pid };
    },
    start: async () => {
      if ((await running()) !== undefined) return;
      const holder = directoryHolder(stateDirectory);
      if (holder !== undefined) throw foreignHost(holder);
      await files.write(processFile, JSON.stringify(await launch(command, stateDirectory, env)));
    },
    stop: async (): Promise<Stopped> => {
      const identity = await running();
      if (identity === undefined) return 'was not running';
      const isGone = (limitMs: number): Promise<boolean> => gone(identity, limitMs, clock);
      signal(identity, identity.pid, 'SIGTERM');
      if (await isGone(stopMs)) return 'stopped';
      // It leads a group of its own, with what it has started and not set apart.
      signal(identity, -identity.pid, 'SIGKILL');
      signal(identity, identity.pid, 'SIGKILL');
      if (await isGone(killMs)) return 'killed';
      throw serviceError('still_running', `Process ${identity.pid} does not end, although it was killed`, {
        hint: 'It waits for the system, such as for a disk that does not answer.',
      });
    },
  };
}

/** Who else runs a host on a directory. */
export function foreignHost({ program, pid }: Pick<Holder, 'program' | 'pid'>) {
  return serviceError('foreign_host', `The state directory is in use by ${program} (pid ${pid})`, {
    hint: 'Stop that one first; it was not started as a service.',
    details: { program, pid },
  });
}

async function launch(
  [program, ...args]: ServiceSpec['command'],
  stateDirectory: string,
  env: NodeJS.ProcessEnv,
): Promise<ProcessIdentity> {
  const folder = join(stateDirectory, 'logs');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // What it says before it can write its log, or when Node itself ends it. Made anew each time, so that it does not grow.
  const errors = openSync(join(folder, 'stderr.log'), 'w', 0o600);
  try {
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', errors],
      env: Object.fromEntries(
        inherited.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
      ),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    // One that has ended already is no process any more: nothing will be found under it.
    return processIdentity(child.pid ?? 0) ?? { pid: child.pid ?? 0, startedAt: '' };
  } catch (cause) {
    throw serviceError('not_started', `${program} could not be started`, { cause });
  } finally {
    closeSync(errors);
  }
}

/** Signals a process, or its group by a negative id, if it is still the one that is meant. */
function signal(identity: ProcessIdentity, target: number, name: NodeJS.Signals): void {
  if (isRunning(identity)) sendSignal(target, name);
}

async function gone(identity: ProcessIdentity, limitMs: number, clock: Clock): Promise<boolean> {
  const until = clock.monotonic() + limitMs;
  while (isRunning(identity)) {
    if (clock.monotonic() >= until) return false;
    await new Promise<void>((resolve) => clock.setTimeout(resolve, pollMs));
  }
  return true;
}

function parseProcess(bytes: Buffer | undefined): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(bytes?.toString('utf8') ?? '');
    const { pid, startedAt } = value as { readonly pid?: unknown; readonly startedAt?: unknown };
    if (typeof pid !== 'number' || typeof startedAt !== 'string' || startedAt === '') return undefined;
    return { pid, startedAt };
  } catch {
    return undefined;
  }
}
