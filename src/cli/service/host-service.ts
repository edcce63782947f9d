import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultStateDirectory } from '../../adapters/os/state-directory.js';
import { type ManagerOptions, managerOf } from '../../adapters/service/choose-manager.js';
import { toolRunner } from '../../adapters/service/run-tool.js';
import { serviceError } from '../../adapters/service/service-errors.js';
import type { ServiceManager, ServiceSpec } from '../../adapters/service/service-manager.js';
import { endReserveMs, hostPrograms } from '../../node/node-host.js';
import type { CliContext } from '../context.js';
import { readServiceRecord, type ServiceRecord } from './record.js';

/** The service that was installed for a state directory. */
export interface HostService {
  readonly record: ServiceRecord;
  readonly manager: ServiceManager;
}

/** The state directory that a command is about, absolute. */
export function stateDirectoryOf(
  { stateDir }: { readonly stateDir?: string },
  { env }: Pick<CliContext, 'env'>,
): string {
  return real(stateDir ?? defaultStateDirectory('node', env));
}

/** What managers work with on this machine. */
export function managerOptions({ clock, env }: Pick<CliContext, 'clock' | 'env'>): ManagerOptions {
  return {
    run: toolRunner(env),
    clock,
    env,
    platform: process.platform,
    program: hostPrograms.service,
  };
}

/** The service of a state directory; undefined when none is installed. @throws AppError `service.manager_missing`. */
export async function findService(
  stateDirectory: string,
  context: CliContext,
): Promise<HostService | undefined> {
  const record = await readServiceRecord(stateDirectory);
  if (record === undefined) return undefined;
  return { record, manager: await managerOf(record.manager, record.spec, managerOptions(context)) };
}

/** As {@link findService}. @throws AppError `service.not_installed`. */
export async function requireService(stateDirectory: string, context: CliContext): Promise<HostService> {
  const service = await findService(stateDirectory, context);
  if (service) return service;
  throw serviceError('not_installed', `No service is installed for the state directory ${stateDirectory}`, {
    hint: 'Install it: palyra node install. Or run the host in this terminal: palyra node run',
  });
}

export interface SpecOptions {
  readonly stateDirectory: string;
  /** Absolute. */
  readonly config: string;
  /** Absolute. */
  readonly passphraseFile?: string;
  readonly drainMs: number;
  readonly logLevel: string;
  readonly recordUrls?: string;
}

/** The node host of a state directory as a service: this very program, with what it needs to be the same host each time. */
export function hostSpec(options: SpecOptions, env: NodeJS.ProcessEnv): ServiceSpec {
  const { stateDirectory, config, passphraseFile, drainMs, logLevel, recordUrls } = options;
  const given = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return {
    name: serviceName(stateDirectory, env),
    description: 'Palyra node host',
    command: [
      process.execPath,
      fileURLToPath(new URL('../palyra.js', import.meta.url)),
      ...['node', 'run', '--service'],
      ...['--state-dir', stateDirectory, '--config', config],
      ...['--drain', `${drainMs}ms`, '--log-level', logLevel],
      ...given('--passphrase-file', passphraseFile),
      ...given('--record-urls', recordUrls),
    ],
    stateDirectory,
    stopMs: drainMs + endReserveMs,
  };
}

/** `palyra-node` for the state directory that is taken when none is named; one of its own for any other. */
function serviceName(stateDirectory: string, env: NodeJS.ProcessEnv): string {
  const { PALYRA_NODE_STATE_DIR: _named, ...rest } = env;
  if (stateDirectory === real(defaultStateDirectory('node', rest))) return 'palyra-node';
  return `palyra-node-${createHash('sha256').update(stateDirectory).digest('hex').slice(0, 8)}`;
}

/** Without symbolic links, as the host names it; as it is written where there is none yet. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
