import { type AppError, type FieldError, toAppError } from '../kernel/errors.js';
import { didYouMean } from '../kernel/nearest.js';
import { Catalog, type CatalogEntry } from './catalog.js';
import { type LoadedManifest, type Quarantine, quarantineOf } from './discovery.js';
import { jsonSize, jsonSizeBound } from './json-size.js';
import { inFile, pluginError } from './plugin-errors.js';
import { Generation } from './plugin-generation.js';
import {
  type LoadedCapability,
  type LoadOptions,
  loadPlugin,
  type OfferedCapability,
} from './plugin-loader.js';
import { outputTooLarge } from './runner.js';
import type { HostServices, PluginLog } from './sdk/index.js';
import type { PluginStanding } from './standing.js';
import { ValidatorCache } from './validators.js';

/** One run, as the node's execution asks for it. */
export interface Execution {
  readonly capability: string;
  /** The descriptor that the daemon validated against and the operator approved. */
  readonly digest: string;
  readonly input: unknown;
  /** The build that a person at the node has allowed to run this. Needed where the descriptor asks for mediation. */
  readonly allowedBuild?: string | undefined;
  /** The only order to stop: abort it when the run is cancelled or its deadline has come. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly log: PluginLog;
  /** @param skipped so many were left out just before, because there were too many */
  progress(value: unknown, skipped?: number): void;
}

export interface PluginHostOptions extends LoadOptions {
  readonly plugins: readonly LoadedManifest[];
  readonly services: HostServices;
  readonly validators?: ValidatorCache;
  /** The most bytes of an output as JSON. Default: 1 MiB. */
  readonly maxOutputBytes?: number;
}

/** A build of a plugin that is loaded and offered. */
export interface PreparedPlugin {
  /** Gives it all new runs of the plugin. Those under way end where they began; resolves when the builds before are gone. */
  use(): Promise<void>;
}

/** A capability, and the build of its plugin that gives it. */
interface Offering {
  readonly generation: Generation;
  readonly capability: LoadedCapability;
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
  readonly #validators: ValidatorCache;
  /** The newest of each plugin, by its name. */
  readonly #offered = new Map<string, Generation>();
  /** Those, and the ones before that have not ended. */
  readonly #running = new Set<Generation>();
  /** What runs each descriptor, by its digest. */
  readonly #loaded = new Map<string, Offering>();
  readonly #maxOutputBytes: number;
  #lastGeneration = 0;

  private constructor(options: PluginHostOptions, quarantined: readonly Quarantine[]) {
    this.#options = options;
    this.#validators = options.validators ?? new ValidatorCache();
    this.#catalog = new Catalog(this.#validators);
    this.#maxOutputBytes = options.maxOutputBytes ?? mebibyte;
    this.quarantined = quarantined;
  }

  /** Loads the plugins, side by side. Never throws for what is wrong with one of them: see `quarantined`. */
  static async load(options: PluginHostOptions): Promise<PluginHost> {
    const quarantined: Quarantine[] = [];
    const host = new PluginHost(options, quarantined);
    const load = async (plugin: LoadedManifest) => {
      try {
        void host.#use(host.#offer(await host.#load(plugin, false)));
      } catch (thrown) {
        const error = inFile(toAppError(thrown), plugin.file);
        quarantined.push(quarantineOf(error, plugin.manifest.name, plugin.file));
      }
    };
    await Promise.all(options.plugins.map(load));
    return host;
  }

  /**
   * Loads and starts a plugin, or another build of one that runs, and offers it: it is among the {@link descriptors} from
   * then on, and runs what is asked of it by descriptors that did not run before. What the build before can run is still
   * run by that one, until the new build is put to `use`. When it can't be started, nothing has changed.
   *
   * @param config its settings. Default: those that it was given before
   * @throws AppError those of loading: see `loadPlugin`
   * @example
   * const next = await host.prepare(plugin);
   * await tellTheDaemon(host.descriptors());
   * await next.use();
   */
  async prepare(plugin: LoadedManifest, config?: unknown): Promise<PreparedPlugin> {
    const { name } = plugin.manifest;
    const next = await this.#load(plugin, true, config ?? this.#offered.get(name)?.config);
    this.#offer(next);
    return { use: () => this.#use(next) };
  }

  /**
   * As {@link prepare}, and puts it to use at once.
   *
   * @returns a promise, in an object, that resolves when the build before is gone
   */
  async replace(plugin: LoadedManifest, config?: unknown): Promise<{ readonly drained: Promise<void> }> {
    const next = await this.prepare(plugin, config);
    return { drained: next.use() };
  }

  /** Takes a plugin away: it gets no new runs, and resolves when those under way have ended. */
  async remove(name: string): Promise<void> {
    this.#offered.delete(name);
    await this.#end((generation) => generation.plugin.name === name);
  }

  /** What this node offers, by name. */
  descriptors(): readonly (OfferedCapability & { readonly standing: PluginStanding })[] {
    const offered = [...this.#offered.values()].flatMap(({ plugin }) =>
      plugin.capabilities.map((one) => ({ ...one.offered, standing: plugin.runner.standing })),
    );
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

  /** What would run for a descriptor now; undefined for one that does not run here. */
  offered(digest: string): OfferedCapability | undefined {
    return this.#loaded.get(digest)?.capability.offered;
  }

  /**
   * Runs a capability and returns its output, which is JSON and valid by its schema.
   *
   * @throws AppError `plugin.unknown_capability` (with near matches), `plugin.descriptor_changed`, `plugin.not_allowed`
   *   when no person has allowed what needs it, or has allowed another build, `plugin.input_invalid` and `plugin.output_invalid` (with `fields`), `plugin.output_too_large`, `plugin.busy`, and those of `Runner.run`
   */
  async execute(execution: Execution): Promise<unknown> {
    const { capability, input, signal, deadline, progress, log } = execution;
    const { generation, capability: loaded } = this.#checked(execution);
    checkAllowed(loaded.offered, execution.allowedBuild);
    const { entry, runner, gate, config } = loaded;
    generation.enter();
    try {
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
    } finally {
      generation.leave();
    }
  }

  /** Accepts no more runs, waits for those under way (at most the grace period), and frees the validators. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((generation) => generation.stop()));
  }

  async #load(plugin: LoadedManifest, isTried: boolean, config?: unknown): Promise<Generation> {
    const { name } = plugin.manifest;
    const settings = config ?? this.#options.config?.get(name);
    const owner = `${name}#${++this.#lastGeneration}`;
    const options = { ...this.#options, isTried, config: new Map([[name, settings]]) };
    const loaded = await loadPlugin(plugin, owner, this.#catalog, this.#validators, options);
    return new Generation(loaded, settings);
  }

  #offer(generation: Generation): Generation {
    this.#offered.set(generation.plugin.name, generation);
    this.#running.add(generation);
    for (const capability of generation.plugin.capabilities) {
      const { digest } = capability.entry;
      if (!this.#loaded.has(digest)) this.#loaded.set(digest, { generation, capability });
    }
    return generation;
  }

  /** Gives a plugin's new runs to this generation, unless a newer one is offered by now. Resolves when those before are gone. */
  async #use(generation: Generation): Promise<void> {
    const { name, capabilities } = generation.plugin;
    const newest = this.#offered.get(name);
    if (newest === generation) {
      for (const capability of capabilities) {
        this.#loaded.set(capability.entry.digest, { generation, capability });
      }
    }
    await this.#end((other) => other.plugin.name === name && other !== newest && other !== generation);
  }

  /** Gives generations no more runs. Resolves when those under way have ended. */
  async #end(isMeant: (generation: Generation) => boolean): Promise<void> {
    const ended = [...this.#running].filter(isMeant);
    for (const generation of ended) {
      for (const { entry } of generation.plugin.capabilities) {
        if (this.#loaded.get(entry.digest)?.generation === generation) this.#loaded.delete(entry.digest);
      }
    }
    await Promise.all(
      ended.map(async (generation) => {
        await generation.drain();
        this.#running.delete(generation);
      }),
    );
  }

  #checked(run: Pick<Execution, 'capability' | 'digest' | 'input'>): Offering {
    const found = this.#find(run);
    const wrong = found.capability.entry.input.check(run.input);
    if (wrong.length > 0) throw mismatch('input_invalid', `The input of '${run.capability}'`, wrong);
    return found;
  }

  #find({ capability, digest }: Pick<Execution, 'capability' | 'digest'>): Offering {
    const found = this.#loaded.get(digest);
    if (found !== undefined && found.capability.entry.descriptor.name === capability) return found;
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
      if (size > most) throw outputTooLarge(descriptor.name, size, most);
    }
    const wrong = validator.check(output);
    if (wrong.length > 0) throw mismatch('output_invalid', `What '${descriptor.name}' returned`, wrong);
  }
}

/** The last gate: whatever the way here, what asks for a person's word does not run without one for this very build. */
function checkAllowed({ descriptor, build }: OfferedCapability, allowedBuild: string | undefined): void {
  if (descriptor.mediation.mode === 'none' || allowedBuild === build) return;
  const isOther = allowedBuild !== undefined;
  const message = isOther
    ? `Another build of '${descriptor.plugin}' than was allowed would run '${descriptor.name}'`
    : `Nobody at this node has allowed '${descriptor.name}' to run`;
  const hint = isOther
    ? 'The plugin was replaced while a person was asked; dispatch again'
    : 'Dispatch it: then the person at the node is asked';
  throw pluginError('not_allowed', message, { hint });
}

function mismatch(
  code: 'input_invalid' | 'output_invalid',
  what: string,
  fields: readonly FieldError[],
): AppError {
  const text = fields.map(({ field, message }) => `${field || 'it'} ${message}`).join('; ');
  return pluginError(code, `${what} does not match its schema: ${text}`, { fields });
}
