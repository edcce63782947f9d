import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryHolder } from '../../adapters/os/directory-lock.js';
import { privateDirectory } from '../../adapters/os/private-directory.js';
import { takePassphrase } from '../../adapters/secrets/passphrase.js';
import { foreignHost } from '../../adapters/service/detached-manager.js';
import type { Stopped } from '../../adapters/service/service-manager.js';
import { jsonLog } from '../../adapters/telemetry/log.js';
import { logNames } from '../../adapters/telemetry/rotating-log.js';
import { type Departure, leaveDaemon } from '../../node/departure.js';
import { purgeHost } from '../../node/host-purge.js';
import { readMembershipIn } from '../../node/identity-store.js';
import { requireSomebody } from '../confirmed.js';
import type { CliContext } from '../context.js';
import { colours, errorLines, note, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { findService } from './host-service.js';
import { logFolder } from './output.js';
import { holdsStill, removeServiceRecord, type ServiceRecord } from './record.js';

export interface UninstallOptions {
  readonly stateDirectory: string;
  readonly passphraseFile?: string;
  /** Undefined: a person is asked; without one it stays. */
  readonly leave: boolean | undefined;
  readonly reason: string;
  readonly purge: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** What was done. Paths are absolute. */
interface Uninstalled {
  readonly service?: { readonly name: string; readonly stopped: Stopped };
  readonly leave?: Departure;
  readonly removed: readonly string[];
  /** What was made by the installation and is not the same any more. */
  readonly kept: readonly string[];
}

/**
 * Takes the service away, and with it what its installation has made: unit, log, record, and the configuration if nobody has changed
 * it. Keys and membership stay unless they are to be purged. Broken off, the same again does the rest.
 */
export async function uninstallService(options: UninstallOptions, context: CliContext): Promise<void> {
  const { stateDirectory, json } = options;
  const wish = await wishes(options, context);
  if (wish === undefined) return;
  const service = await findService(stateDirectory, context);
  const stopped = await service?.manager.stop();
  const holder = directoryHolder(stateDirectory);
  // What it is about to take away is in use.
  if (holder !== undefined && (wish.leave || options.purge)) throw foreignHost(holder);
  const left = wish.leave ? await leave(options, context) : undefined;
  const removed = [...((await service?.manager.uninstall()) ?? [])];
  const { kept, ...files } = await removeMade(stateDirectory, service?.record);
  removed.push(...files.removed);
  if (options.purge) removed.push(...(await purgeHost(stateDirectory)));
  const done: Uninstalled = {
    ...(service === undefined || stopped === undefined
      ? {}
      : { service: { name: service.record.spec.name, stopped } }),
    ...(left === undefined ? {} : { leave: left }),
    removed,
    kept,
  };
  if (json) printJson(context, { ...done, ...(left?.outcome === 'not told' ? { leave: told(left) } : {}) });
  else tell(done, options, context);
}

/** What is to be done beside the service; undefined when the person has thought better of it. */
async function wishes(
  options: UninstallOptions,
  context: CliContext,
): Promise<{ readonly leave: boolean } | undefined> {
  const { stateDirectory, purge, yes, json, leave: asked } = options;
  const flags = { yes, json };
  if (asked === true) requireSomebody(context, 'take this machine out of its daemon', flags);
  if (purge) requireSomebody(context, 'delete the keys of this machine', flags);
  const canAsk = context.interactive && !json;
  const member = await readMembershipIn(privateDirectory(stateDirectory));
  const isOffered = member !== undefined && (asked === true || (asked === undefined && canAsk));
  const question = `Take ${printable(member?.name ?? '')} out of its daemon too? It is refused from then on, until an operator lifts that.`;
  const leave = isOffered && ((asked === true && yes) || (await context.confirm(question)));
  if (asked === true && member !== undefined && !leave) return nothing(context);
  if (
    purge &&
    !yes &&
    !(await context.confirm('Delete the keys of this machine? They can not be brought back.'))
  ) {
    return nothing(context);
  }
  return { leave };
}

function nothing(context: CliContext): undefined {
  print(context, 'Nothing was changed.');
  return undefined;
}

async function leave(options: UninstallOptions, { env }: CliContext): Promise<Departure> {
  const { stateDirectory, passphraseFile, reason } = options;
  const passphrase = await takePassphrase({ file: passphraseFile, env });
  const log = jsonLog('error');
  return leaveDaemon({ stateDirectory, reason, log, ...(passphrase === undefined ? {} : { passphrase }) });
}

async function removeMade(
  stateDirectory: string,
  record: ServiceRecord | undefined,
): Promise<{ readonly removed: readonly string[]; readonly kept: readonly string[] }> {
  const removed: string[] = [];
  const kept: string[] = [];
  const { config } = record ?? {};
  if (config !== undefined && existsSync(config.path)) {
    if (await holdsStill(config)) {
      await rm(config.path);
      removed.push(config.path);
    } else kept.push(config.path);
  }
  const folder = logFolder(stateDirectory);
  for (const name of [...logNames(folder), 'stderr.log']) await rm(join(folder, name), { force: true });
  if (existsSync(folder)) {
    // What somebody else has put there stays.
    await rmdir(folder).then(
      () => removed.push(folder),
      () => kept.push(folder),
    );
  }
  await removeServiceRecord(stateDirectory);
  return { removed, kept };
}

/** An outcome for programs: an error as its envelope. */
function told(departure: Extract<Departure, { outcome: 'not told' }>): object {
  return { ...departure, error: departure.error.toEnvelope() };
}

function tell(
  { service, leave: left, removed, kept }: Uninstalled,
  { purge }: UninstallOptions,
  context: CliContext,
): void {
  print(
    context,
    service === undefined ? 'No service was installed.' : `The service ${service.name} is uninstalled.`,
    ...removed.map((path) => `Deleted ${printable(path)}`),
    ...kept.map((path) => `Kept ${printable(path)}: it is not as it was made.`),
  );
  if (left?.outcome === 'left') print(context, 'This machine is out of its daemon.');
  if (left?.outcome === 'shut out') print(context, 'The daemon had shut this machine out already.');
  if (left?.outcome === 'no member') print(context, 'This machine was in no daemon.');
  if (left?.outcome === 'not told') {
    note(
      context,
      ...errorLines(colours(context.stderr, context.env), left.error),
      `The daemon still trusts this machine. Its operator takes it out: palyra devices remove ${left.deviceId}`,
    );
  }
  if (!purge) print(context, 'The keys of this machine stay where they are; --purge deletes them.');
}
