import { type AppError, type FieldError, toAppError } from '../kernel/errors.js';
import { didYouMean } from '../kernel/nearest.js';
import { Catalog, type CatalogEntry } from './catalog.js';
import { type LoadedManifest, type Quarantine, quarantineOf } from './discovery.js';
import { jsonSize, jsonSizeBound } from './json-size.js';
import { inFile, pluginError } from './plugin-errors.js';
import {
  type LoadedCapability,
  type LoadOptions,
  loadPlugin,
  type OfferedCapability,
} from './plugin-loader.js';
import type { HostServices, PluginLog } from './sdk/index.js';
import { ValidatorCache } from './validators.js';

/** One run, as the node's execution asks for it. */
export interface Execution {
  readonly capability: string;
  /** The descriptor that the daemon validated against and the operator approved. */
  readonly digest: string;
  readonly input: unknown;
  /** The only order to stop: abort it when the run is cancelled or its deadline has come. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly log: PluginLog;
  progress(value: unknown): void;
}

export interface PluginHostOptions extends LoadOptions {
  readonly plugins: readonly LoadedManifest[];
  readonly services: HostServices;
  readonly validators?: ValidatorCache;
  /** The most bytes of an output as JSON. Default: 1 MiB. */
  readonly maxOutputBytes?: number;
}

const mebibyte = 1024 * 1024;

/**
 * The node's side of plugins: loads them, says what they offer, and runs their capabilities with input and output checked.
 * A plugin that can't be loaded is quarantined; the others run.
 *
 * @example
 * const { plugins } = await discoverPlugins(['plugins'], { platform: process.platform });
 * const host = await PluginHost.load({ plugins, services: systemOpener(), trusted: () => true });
 * const [echo] = host.descriptors();
 */
export class PluginHost {
  /** What was left out, and why. */
  readonly quarantined: readonly Quarantine[];
  readonly #options: PluginHostOptions;
  readonly #catalog: Catalog;
  readonly #loaded: ReadonlyMap<string, LoadedCapability>;
  readonly #maxOutputBytes: number;

  private constructor(
    options: PluginHostOptions,
    catalog: Catalog,
    loaded: ReadonlyMap<string, LoadedCapability>,
    quarantined: readonly Quarantine[],
  ) {
    this.#options = options;
    this.#catalog = catalog;
    this.#loaded = loaded;
    this.#maxOutputBytes = options.maxOutputBytes ?? mebibyte;
    this.quarantined = quarantined;
  }

  /** Loads the plugins, side by side. Never throws for what is wrong with one of them: see `quarantined`. */
  static async load(options: PluginHostOptions): Promise<PluginHost> {
    const validators = options.validators ?? new ValidatorCache();
    const catalog = new Catalog(validators);
    const loaded = new Map<string, LoadedCapability>();
    const quarantined: Quarantine[] = [];
    const load = async (plugin: LoadedManifest) => {
      try {
        for (const one of await loadPlugin(plugin, catalog, validators, options))
          loaded.set(one.entry.digest, one);
      } catch (thrown) {
        const error = inFile(toAppError(thrown), plugin.file);
        quarantined.push(quarantineOf(error, plugin.manifest.name, plugin.file));
      }
    };
    await Promise.all(options.plugins.map(load));
    return new PluginHost(options, catalog, loaded, quarantined);
  }

  /** What this node offers, by name. */
  descriptors(): readonly OfferedCapability[] {
    const offered = [...this.#loaded.values()].map((one) => one.offered);
    return offered.sort((a, b) => (a.descriptor.name < b.descriptor.name ? -1 : 1));
  }

  /**
   * Checks that a run could start: before a person is asked, or anything is journaled.
   *
   * @throws AppError `plugin.unknown_capability` (with near matches), `plugin.descriptor_changed`, `plugin.input_invalid`
   */
  check(run: Pick<Execution, 'capability' | 'digest' | 'input'>): void {
    this.#checked(run);
  }

  /** Whether a person at the node is to be asked before this descriptor runs. */
  needsMediation(digest: string): boolean {
    return this.#loaded.get(digest)?.entry.descriptor.mediation.mode === 'local';
  }

  /**
   * Runs a capability and returns its output, which is JSON and valid by its schema.
   *
   * @throws AppError `plugin.unknown_capability` (with near matches), `plugin.descriptor_changed`, `plugin.input_invalid`
   *   and `plugin.output_invalid` (with `fields`), `plugin.output_too_large`, `plugin.busy`, and those of `Runner.run`
   */
  async execute(execution: Execution): Promise<unknown> {
    const { capability, input, signal, deadline, progress, log } = execution;
    const { entry, runner, gate, config } = this.#checked(execution);
    const turn = gate.enter(signal);
    if (turn !== undefined) await turn;
    try {
      const host = this.#options.services;
      const output = await runner.run({ capability, input, signal, deadline, progress, log, config, host });
      this.#checkOutput(entry, output);
      return output;
    } finally {
      gate.leave();
    }
  }

  /** Accepts no more runs, waits for those under way (at most the grace period), and frees the validators. */
  async stop(): Promise<void> {
    const runners = new Set([...this.#loaded.values()].map((one) => one.runner));
    await Promise.all([...runners].map((runner) => runner.stop()));
    for (const one of this.#loaded.values()) this.#catalog.remove(one.entry.digest, one.runner.plugin);
  }

  #checked(run: Pick<Execution, 'capability' | 'digest' | 'input'>): LoadedCapability {
    const found = this.#find(run);
    const wrong = found.entry.input.check(run.input);
    if (wrong.length > 0) throw mismatch('input_invalid', `The input of '${run.capability}'`, wrong);
    return found;
  }

  #find({ capability, digest }: Pick<Execution, 'capability' | 'digest'>): LoadedCapability {
    const found = this.#loaded.get(digest);
    if (found !== undefined && found.entry.descriptor.name === capability) return found;
    if (this.#catalog.digestsOf(capability).length > 0) {
      throw pluginError(
        'descriptor_changed',
        `This node runs another version of '${capability}' than was asked for`,
        {
          hint: 'Approve what the node offers now, then dispatch again',
        },
      );
    }
    const hint =
      didYouMean(capability, this.#catalog.names()) ?? 'Install the plugin that gives it on this node';
    throw pluginError('unknown_capability', `This node has no capability '${capability}'`, { hint });
  }

  #checkOutput({ descriptor, output: validator }: CatalogEntry, output: unknown): void {
    const most = this.#maxOutputBytes;
    if (jsonSizeBound(output) > most) {
      const size = jsonSize(output);
      if (size > most) {
        throw pluginError(
          'output_too_large',
          `'${descriptor.name}' returned ${size} bytes; at most ${most} are sent`,
          {
            hint: 'Return less, or send parts of it as progress',
            details: { size, limit: most },
          },
        );
      }
    }
    const wrong = validator.check(output);
    if (wrong.length > 0) throw mismatch('output_invalid', `What '${descriptor.name}' returned`, wrong);
  }
}

function mismatch(
  code: 'input_invalid' | 'output_invalid',
  what: string,
  fields: readonly FieldError[],
): AppError {
  const text = fields.map(({ field, message }) => `${field || 'it'} ${message}`).join('; ');
  return pluginError(code, `${what} does not match its schema: ${text}`, { fields });
}
