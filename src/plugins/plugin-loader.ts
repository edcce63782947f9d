import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, systemClock } from '../kernel/clock.js';
import type { Catalog, CatalogEntry } from './catalog.js';
import { ConcurrencyGate } from './concurrency-gate.js';
import type { Descriptor } from './descriptor.js';
import { descriptorOf } from './digest.js';
import type { LoadedManifest } from './discovery.js';
import { InlineRunner } from './inline-runner.js';
import { manifestError } from './plugin-errors.js';
import type { Runner } from './runner.js';
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

export interface LoadOptions {
  /** Whether the operator trusts a plugin to run inside this process. */
  readonly trusted: (plugin: LoadedManifest) => boolean;
  /** Settings by plugin name. */
  readonly config?: ReadonlyMap<string, unknown>;
  readonly clock?: Clock;
  /** How long an aborted handler may take to stop, milliseconds. Default: 2000. */
  readonly graceMs?: number;
  /** How many runs of one capability may wait for their turn. Default: 256. */
  readonly maxWaiting?: number;
}

/**
 * Loads one plugin: refuses an isolation that can't be given, checks its settings, compiles its schemas into the catalog
 * and starts its runner.
 *
 * @throws AppError `plugin.isolation_unsupported`, `plugin.not_trusted`, `plugin.config_invalid`, `plugin.load_failed`,
 *   `plugin.load_timeout`; nothing of the plugin is left in the catalog then
 */
export async function loadPlugin(
  plugin: LoadedManifest,
  catalog: Catalog,
  validators: ValidatorCache,
  options: LoadOptions,
): Promise<readonly LoadedCapability[]> {
  const { manifest } = plugin;
  refuseIsolation(plugin, options.trusted);
  const config = checkConfig(plugin, options.config?.get(manifest.name), validators);
  const runner = new InlineRunner({
    plugin: manifest.name,
    entry: plugin.entry,
    capabilities: manifest.capabilities.map((capability) => capability.name),
    clock: options.clock ?? systemClock,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
  });
  const entries: CatalogEntry[] = [];
  try {
    for (const capability of manifest.capabilities) {
      entries.push(catalog.add(descriptorOf(manifest, capability), manifest.name));
    }
    const code = await readFile(plugin.entry);
    const build = createHash('sha256').update(code).digest('hex');
    await runner.start();
    return entries.map((entry) => {
      const { digest, descriptor } = entry;
      const gate = new ConcurrencyGate(descriptor.name, descriptor.concurrency, options.maxWaiting ?? 256);
      return {
        entry,
        offered: { digest, descriptor, version: manifest.version, build },
        runner,
        gate,
        config,
      };
    });
  } catch (thrown) {
    for (const entry of entries) catalog.remove(entry.digest, manifest.name);
    throw thrown;
  }
}

function refuseIsolation(plugin: LoadedManifest, trusted: LoadOptions['trusted']): void {
  const pointer = '/isolation';
  if (plugin.manifest.isolation === 'process') {
    const problem = "asks for a process of its own, which this version of the node host can't give yet";
    const hint = 'If you trust the plugin, build it with isolation "inline" and list it as trusted';
    throw manifestError('isolation_unsupported', plugin.file, { pointer, problem, hint });
  }
  if (!trusted(plugin)) {
    const problem = 'asks to run inside the node host, and the operator does not trust it to';
    const hint = 'List the plugin as trusted in the configuration of the node';
    throw manifestError('not_trusted', plugin.file, { pointer, problem, hint });
  }
}

function checkConfig(
  { manifest, file }: LoadedManifest,
  given: unknown,
  validators: ValidatorCache,
): unknown {
  const config = given ?? {};
  const schema = manifest.config ?? { type: 'object', additionalProperties: false };
  const validator = validators.acquire(schema);
  const [first] = validator.check(config);
  validators.release(validator);
  if (first === undefined) return deepFreeze(structuredClone(config));
  const hint = `Correct the settings of '${manifest.name}' in the configuration`;
  const problem = `does not accept the settings: ${first.field || 'they'} ${first.message}`;
  throw manifestError('config_invalid', file, { pointer: '/config', problem, hint });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
