import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, systemClock } from '../kernel/clock.js';
import type { Catalog, CatalogEntry } from './catalog.js';
import { ConcurrencyGate } from './concurrency-gate.js';
import { deepFreeze } from './deep-freeze.js';
import type { Descriptor, Permissions } from './descriptor.js';
import { descriptorOf } from './digest.js';
import type { LoadedManifest } from './discovery.js';
import { InlineRunner } from './inline-runner.js';
import type { PluginCode } from './plugin-code.js';
import { manifestError } from './plugin-errors.js';
import type { Runner } from './runner.js';
import { settingsErrors } from './settings.js';
import type { ValidatorCache } from './validators.js';

/** What a node offers: a descriptor, the version and the build that answer to it. */
export interface OfferedCapability {
  /** The descriptor's digest. */
  readonly digest: string;
  readonly descriptor: Descriptor;
  /** The plugin's version. */
  readonly version: string;
  /** SHA-256 of the plugin's entry file, lowercase hex. */
  readonly build: string;
}

/** One capability, ready to run. */
export interface LoadedCapability {
  readonly entry: CatalogEntry;
  readonly offered: OfferedCapability;
  readonly runner: Runner;
  readonly gate: ConcurrencyGate;
  /** The plugin's settings, checked and frozen. */
  readonly config: unknown;
}

/** What a runner in a process of its own is made for. */
export interface ProcessPlugin extends PluginCode {
  /** The real path of the plugin's folder. */
  readonly folder: string;
  /** SHA-256 of the entry file, lowercase hex. */
  readonly build: string;
  readonly permissions: Permissions;
}

export interface LoadOptions {
  /** Whether the operator trusts a plugin to run inside this process. */
  readonly trusted: (plugin: LoadedManifest) => boolean;
  /** Makes the runner of a plugin that has a process of its own. Without it, such a plugin is refused. */
  readonly processRunner?: (plugin: ProcessPlugin) => Runner;
  /** Whether the operator wants a plugin in a process of its own that asks to run inside this one. Default: no. */
  readonly isolated?: (plugin: LoadedManifest) => boolean;
  /** Settings by plugin name. */
  readonly config?: ReadonlyMap<string, unknown>;
  readonly clock?: Clock;
  /** How long an aborted handler may take to stop, milliseconds. Default: 2000. */
  readonly graceMs?: number;
  /** How many runs of one capability may wait for their turn. Default: 256. */
  readonly maxWaiting?: number;
}

/** One build of a plugin, ready to run. */
export interface LoadedPlugin {
  readonly name: string;
  readonly capabilities: readonly LoadedCapability[];
  readonly runner: Runner;
  /** Takes its schemas out of the catalog. */
  release(): void;
}

/**
 * Loads one plugin: refuses an isolation that can't be given, checks its settings, compiles its schemas into the catalog
 * and starts its runner. A process of its own is started by the first run, or at once when `isTried`.
 *
 * @param owner who holds its descriptors in the catalog
 * @throws AppError `plugin.isolation_unsupported`, `plugin.not_trusted`, `plugin.config_invalid`, and those of
 *   `Runner.start`; nothing of the plugin is left in the catalog then
 */
export async function loadPlugin(
  plugin: LoadedManifest,
  owner: string,
  catalog: Catalog,
  validators: ValidatorCache,
  options: LoadOptions & { readonly isTried: boolean },
): Promise<LoadedPlugin> {
  const { manifest } = plugin;
  const makeRunner = runnerFor(plugin, options);
  const config = checkConfig(plugin, options.config?.get(manifest.name), validators);
  const entries: CatalogEntry[] = [];
  const release = (): void => {
    for (const entry of entries) catalog.remove(entry.digest, owner);
  };
  try {
    for (const capability of manifest.capabilities) {
      entries.push(catalog.add(descriptorOf(manifest, capability), owner));
    }
    const code = await readFile(plugin.entry);
    const build = createHash('sha256').update(code).digest('hex');
    const runner = makeRunner(build);
    if (options.isTried || runner instanceof InlineRunner) await startOrStop(runner);
    const capabilities = entries.map((entry): LoadedCapability => {
      const { digest, descriptor } = entry;
      const gate = new ConcurrencyGate(descriptor.name, descriptor.concurrency, options.maxWaiting ?? 256);
      const offered = { digest, descriptor, version: manifest.version, build };
      return { entry, offered, runner, gate, config };
    });
    return { name: manifest.name, capabilities, runner, release };
  } catch (thrown) {
    release();
    throw thrown;
  }
}

/** A runner that does not start is not left to try again. */
async function startOrStop(runner: Runner): Promise<void> {
  try {
    await runner.start();
  } catch (thrown) {
    await runner.stop();
    throw thrown;
  }
}

/** @throws AppError `plugin.isolation_unsupported`, `plugin.not_trusted` */
function runnerFor(plugin: LoadedManifest, options: LoadOptions): (build: string) => Runner {
  const { manifest, entry, folder } = plugin;
  const code = { plugin: manifest.name, entry, capabilities: manifest.capabilities.map(({ name }) => name) };
  const pointer = '/isolation';
  if (manifest.isolation === 'process' || options.isolated?.(plugin) === true) {
    const { processRunner } = options;
    if (processRunner) {
      return (build) => processRunner({ ...code, folder, build, permissions: manifest.permissions });
    }
    const problem = "asks for a process of its own, which can't be given here";
    const hint = 'If you trust the plugin, build it with isolation "inline" and list it as trusted';
    throw manifestError('isolation_unsupported', plugin.file, { pointer, problem, hint });
  }
  if (!options.trusted(plugin)) {
    const problem = 'asks to run inside the node host, and the operator does not trust it to';
    const hint = 'List the plugin as trusted in the configuration of the node';
    throw manifestError('not_trusted', plugin.file, { pointer, problem, hint });
  }
  const { clock = systemClock, graceMs } = options;
  return (build) =>
    new InlineRunner({ ...code, build, clock, ...(graceMs === undefined ? {} : { graceMs }) });
}

function checkConfig(
  { manifest, file }: LoadedManifest,
  given: unknown,
  validators: ValidatorCache,
): unknown {
  const config = given ?? {};
  const [first] = settingsErrors(manifest, config, validators);
  if (first === undefined) return deepFreeze(structuredClone(config));
  const hint = `Correct the settings of '${manifest.name}' in the configuration`;
  const problem = `does not accept the settings: ${first.field || 'they'} ${first.message}`;
  throw manifestError('config_invalid', file, { pointer: '/config', problem, hint });
}
