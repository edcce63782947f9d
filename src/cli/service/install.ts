import { directoryHolder } from '../../adapters/os/directory-lock.js';
import { bestManager, managerOf } from '../../adapters/service/choose-manager.js';
import { foreignHost } from '../../adapters/service/detached-manager.js';
import { toolRunner } from '../../adapters/service/run-tool.js';
import type { ManagerKind, ServiceManager } from '../../adapters/service/service-manager.js';
import { hostPrograms } from '../../node/node-host.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { note, print, printEvent } from '../output.js';
import { printable } from '../printable.js';
import { awaitSession } from './await-session.js';
import { findService, hostSpec, managerOptions, type SpecOptions } from './host-service.js';
import { lingers } from './linger.js';
import { ensureNodeConfig, type NodeConfigFile } from './node-config-file.js';
import { pairFirst } from './pair-first.js';
import { readServiceRecord, type ServiceRecord, writeServiceRecord } from './record.js';
import { sessionText, statusJson } from './status-text.js';

export interface InstallOptions extends Omit<SpecOptions, 'config'> {
  readonly join: string | undefined;
  readonly pin: string | true | undefined;
  /** Default: that of the configuration directory. */
  readonly config?: string;
  /** Default: the best that answers. */
  readonly manager?: ManagerKind;
  /** How long the session is waited for, milliseconds. */
  readonly timeoutMs: number;
  readonly json: boolean;
}

/**
 * Makes the node host a service of this machine: its configuration, its membership, then the service, which is started. Broken off at
 * any step, the same again goes on from there; done twice, it changes nothing.
 */
export async function installService(options: InstallOptions, context: CliContext): Promise<void> {
  const { stateDirectory, json } = options;
  refuseVariable(context);
  refuseForeignHost(stateDirectory);
  const tell = (...lines: readonly string[]): void => {
    if (!json) print(context, ...lines);
  };
  const config = await ensureNodeConfig(options.config, context.env);
  tell(
    config.made === undefined ? `Configuration: ${config.path}` : `Made ${config.path}, with all defaults.`,
  );
  const member = await pairFirst({ ...options, config: config.path }, context);
  if (!member.isNew) tell(`This machine is ${printable(member.name)} already${unused(options)}.`);

  const kind = options.manager ?? (await bestManager(managerOptions(context)));
  await replaceOther(stateDirectory, kind, context);
  const spec = hostSpec({ ...options, config: config.path }, context.env);
  const manager = await managerOf(kind, spec, managerOptions(context));
  const before = await readServiceRecord(stateDirectory);
  const outcome = await writeService({ manager: kind, spec, ...madeConfig(config, before) }, before, manager);
  tell(serviceText(outcome, spec.name, manager));

  const since = context.clock.now();
  // What runs by the old description ends; what runs by this one goes on.
  if (outcome === 'changed') await manager.stop();
  await manager.start();
  const status = await awaitSession(
    { stateDirectory, manager, since, timeoutMs: options.timeoutMs },
    context,
  );
  tell(`It runs (pid ${status.pid}): ${sessionText(status.session, context.clock.now())}.`);
  if (kind === 'detached') note(context, 'Nobody starts it again when the machine does: palyra node start.');
  if (kind === 'systemd' && (await lingers(toolRunner(context.env))) === false) {
    note(
      context,
      'It runs while you are logged in. To have it run from the start of the machine: loginctl enable-linger',
    );
  }
  if (!json) return;
  printEvent(context, {
    event: 'installed',
    ...{ config: { path: config.path, made: config.made !== undefined }, device: member },
    ...{ service: { name: spec.name, manager: kind, outcome, files: manager.files } },
    ...{ host: statusJson(status) },
  });
}

type Outcome = 'created' | 'changed' | 'unchanged';

/** Writes what the manager and the record have of the service. The record first: what it names can always be taken away again. */
async function writeService(
  record: ServiceRecord,
  before: ServiceRecord | undefined,
  manager: ServiceManager,
): Promise<Outcome> {
  const isSame = JSON.stringify(record) === JSON.stringify(before);
  if (!isSame) await writeServiceRecord(record);
  const outcome = await manager.install();
  if (before === undefined) return 'created';
  return outcome === 'unchanged' && JSON.stringify(before.spec) === JSON.stringify(record.spec)
    ? 'unchanged'
    : 'changed';
}

/** A file that was made by an earlier installation is still one that was made. */
function madeConfig(
  config: NodeConfigFile,
  before: ServiceRecord | undefined,
): Pick<ServiceRecord, 'config'> {
  if (config.made !== undefined) return { config: { path: config.path, sha256: config.made } };
  return before?.config === undefined ? {} : { config: before.config };
}

/** Takes the service away from another manager that has it. */
async function replaceOther(stateDirectory: string, kind: ManagerKind, context: CliContext): Promise<void> {
  const service = await findService(stateDirectory, context);
  if (service === undefined || service.record.manager === kind) return;
  await service.manager.stop();
  await service.manager.uninstall();
}

function serviceText(outcome: Outcome, name: string, { kind, files }: ServiceManager): string {
  const where = files.length === 0 ? '' : `: ${files.join(', ')}`;
  const done = { created: 'Installed', changed: 'Changed', unchanged: 'Nothing to change in' } as const;
  return `${done[outcome]} the service ${name} (${kind})${where}`;
}

function unused({ join, pin }: InstallOptions): string {
  return join === undefined && pin === undefined ? '' : '; what it was invited with is not used';
}

/** A service has no variables: what would be forgotten is refused. */
function refuseVariable({ env }: CliContext): void {
  if (env.PALYRA_PASSPHRASE === undefined || env.PALYRA_PASSPHRASE === '') return;
  throw cliError('usage', 'A service can not be given its passphrase by PALYRA_PASSPHRASE', {
    hint: 'Put it into a file of mode 0600, and name that: --passphrase-file FILE',
  });
}

function refuseForeignHost(stateDirectory: string): void {
  const holder = directoryHolder(stateDirectory);
  if (holder !== undefined && holder.program !== hostPrograms.service) throw foreignHost(holder);
}
