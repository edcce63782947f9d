import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { renderPlist } from './launchd-plist.js';
import { mustRun, type RunTool } from './run-tool.js';
import { serviceError } from './service-errors.js';
import type { ServiceManager, ServiceSpec, ServiceState, Stopped } from './service-manager.js';
import { removeUnitFile, writeUnitFile } from './unit-file.js';

export interface LaunchdOptions {
  readonly run: RunTool;
  readonly clock: Clock;
  /** `~/Library/LaunchAgents`. */
  readonly agentFolder: string;
  readonly uid: number;
  /** The PATH that the program has. */
  readonly path: string;
}

const pollMs = 100;
/** launchd waits for the program, and kills it; this is on top of what the plist says. */
const answerReserveMs = 20_000;

/** An agent of the launchd of this user, loaded in each of its sessions. */
export function launchdManager(spec: ServiceSpec, options: LaunchdOptions): ServiceManager {
  const { run, clock, agentFolder, uid, path } = options;
  const label = `org.palyra.${spec.name}`;
  const file = join(agentFolder, `${label}.plist`);
  const domain = `gui/${uid}`;
  const target = `${domain}/${label}`;

  const state = async (): Promise<ServiceState> => {
    const { code, stdout } = await run('launchctl', ['print', target]);
    return code === 0 ? stateOf(stdout) : { state: 'stopped' };
  };
  const unload = async (): Promise<void> => {
    await mustRun(run, 'launchctl', ['bootout', target], spec.stopMs + answerReserveMs);
    const until = clock.monotonic() + spec.stopMs + answerReserveMs;
    while ((await state()).state !== 'stopped') {
      if (clock.monotonic() > until) {
        throw serviceError('still_running', `launchd has not ended ${label}`, {
          hint: `See what it waits for: launchctl print ${target}`,
        });
      }
      await new Promise<void>((resolve) => clock.setTimeout(resolve, pollMs));
    }
  };

  return {
    kind: 'launchd',
    files: [file],
    state,
    install: () => writeUnitFile(file, renderPlist(spec, label, path)),
    uninstall: async () => ((await removeUnitFile(file)) ? [file] : []),
    start: async () => {
      // What is loaded runs, or is started again by launchd.
      if ((await state()).state !== 'stopped') return;
      // An agent that somebody has disabled can't be loaded.
      await mustRun(run, 'launchctl', ['enable', target]);
      await mustRun(run, 'launchctl', ['bootstrap', domain, file]);
    },
    stop: async (): Promise<Stopped> => {
      if ((await state()).state === 'stopped') return 'was not running';
      // Unloaded, since whatever is loaded is kept alive. The next session of the user loads it again.
      await unload();
      return 'stopped';
    },
  };
}

/** What `launchctl print` says of an agent that is loaded. */
function stateOf(text: string): ServiceState {
  const value = (key: string): string | undefined =>
    text.match(new RegExp(`^\\s*${key} = (.+)$`, 'm'))?.[1]?.trim();
  const pid = Number.parseInt(value('pid') ?? '', 10);
  const ended = value('last exit code');
  const detail =
    ended === undefined || ended.startsWith('0') || ended.startsWith('(')
      ? {}
      : { detail: `exit code ${ended}` };
  return pid > 0 ? { state: 'running', pid } : { state: 'waiting', ...detail };
}
