import type { PluginPolicy } from '../actors/device/surface.js';
import { pluginsError } from '../actors/errors.js';
import type { PluginControl, PluginReload, PluginView } from '../actors/plugin-control.js';
import { invalidConfig, type Origin } from '../adapters/config/config-error.js';
import { valueAt } from '../adapters/config/config-layer.js';
import { type SettingsProblem, settingsProblems } from '../adapters/config/plugin-settings.js';
import { callerLabel, permits, senderText, type VerifiedCaller } from '../kernel/authority.js';
import type { KernelLog } from '../kernel/log.js';
import { didYouMean } from '../kernel/nearest.js';
import { bundledPlugins } from '../plugins/bundled.js';
import { Catalog } from '../plugins/catalog.js';
import { descriptorOf } from '../plugins/digest.js';
import { type Discovery, discoverPlugins } from '../plugins/discovery.js';
import { type PluginFault, pluginStatuses } from '../plugins/plugin-status.js';
import { ValidatorCache } from '../plugins/validators.js';
import { configOptions } from './config/config-option.js';
import type { ConfigReading } from './config/daemon-config.js';

export interface DaemonPluginsOptions {
  readonly reading: ConfigReading;
  /** Reads the configuration again. @throws AppError `config.*` */
  reread(): ConfigReading;
  readonly log: KernelLog;
}

/** What is known of plugins at a time. */
interface Known {
  readonly reading: ConfigReading;
  readonly discovery: Discovery;
  readonly problems: readonly SettingsProblem[];
  readonly policy: PluginPolicy;
}

/** Under this name the catalog holds the descriptors of the daemon's own folders. */
const owner = 'folder';

/** The options that count at once; all others are read when the daemon starts. */
const live = new Set(['/plugins/paths', '/plugins/enabled', '/plugins/settings']);

const mayReload = { role: 'admin' } as const;

/**
 * The daemon's plugins: what lies in its folders, what the operator says of it, and the catalog that follows from both. It reads
 * manifests and never runs their code. A plugin with a fault is left out; one whose settings are wrong is off, since it would run
 * without them.
 */
export class DaemonPlugins implements PluginControl {
  readonly catalog = new Catalog(new ValidatorCache());
  readonly #options: DaemonPluginsOptions;
  readonly #listeners: ((policy: PluginPolicy) => void)[] = [];
  #known: Known;
  #held: ReadonlySet<string> = new Set();
  /** Reloads are made one after the other. */
  #reloads: Promise<unknown> = Promise.resolve();

  private constructor(options: DaemonPluginsOptions, known: Known) {
    this.#options = options;
    this.#known = known;
  }

  static async open(options: DaemonPluginsOptions): Promise<DaemonPlugins> {
    const known = await look(options.reading);
    const plugins = new DaemonPlugins(options, known);
    plugins.#take(known);
    return plugins;
  }

  get policy(): PluginPolicy {
    return this.#known.policy;
  }

  /** Tells of each policy that takes the place of the one before. */
  onChange(listener: (policy: PluginPolicy) => void): void {
    this.#listeners.push(listener);
  }

  async list(_caller: VerifiedCaller): Promise<readonly PluginView[]> {
    return this.#views();
  }

  async get(_caller: VerifiedCaller, plugin: string): Promise<readonly PluginView[]> {
    const all = await this.#views();
    const found = all.filter((view) => view.plugin === plugin);
    if (found.length > 0) return found;
    const names = all.map((view) => view.plugin);
    throw pluginsError('not_found', `The daemon knows no plugin ${plugin}`, {
      hint: didYouMean(plugin, names) ?? 'See which there are: palyra plugins list',
    });
  }

  async reload(caller: VerifiedCaller): Promise<PluginReload> {
    if (!permits(mayReload, caller)) {
      throw pluginsError('forbidden', `${callerLabel(caller)} may not reload plugins`, {
        hint: `It takes ${senderText(mayReload)}.`,
      });
    }
    return this.takeUp();
  }

  /** As {@link reload}, on the word of who owns the process: a signal. */
  takeUp(): Promise<PluginReload> {
    const done = this.#reloads.then(() => this.#reload());
    this.#reloads = done.catch(() => undefined);
    return done;
  }

  async #reload(): Promise<PluginReload> {
    const known = await look(this.#options.reread());
    if (known.problems.length > 0) throw invalidConfig(known.problems);
    this.#take(known);
    for (const tell of this.#listeners) tell(known.policy);
    const restartNeeded = changedOptions(this.#options.reading, known.reading);
    this.#options.log.info(
      { enabled: [...known.policy.enabled], restartNeeded },
      'Took over what the configuration says of plugins',
    );
    return { plugins: await this.#views(), restartNeeded };
  }

  #take(known: Known): void {
    const { catalog } = this;
    const held = new Set(
      known.discovery.plugins.flatMap(({ manifest }) =>
        manifest.capabilities.map(
          (capability) => catalog.add(descriptorOf(manifest, capability), owner).digest,
        ),
      ),
    );
    for (const digest of this.#held) if (!held.has(digest)) catalog.remove(digest, owner);
    this.#held = held;
    this.#known = known;
    for (const { plugin, file, pointer, message, hint } of known.discovery.quarantined) {
      this.#options.log.warn({ plugin, file, pointer, hint }, `Plugin quarantined: ${message}`);
    }
    for (const problem of known.problems) {
      const { plugin, pointer } = problem;
      const { message, hint } = faultOf(problem);
      this.#options.log.warn({ plugin, pointer, hint }, `Plugin quarantined: ${message}`);
    }
  }

  #views(): Promise<readonly PluginView[]> {
    const { discovery, problems, policy, reading } = this.#known;
    return pluginStatuses(discovery, {
      named: reading.config.plugins.enabled,
      isEnabled: (plugin) => policy.enabled.has(plugin),
      faultOf: (plugin) => {
        const problem = problems.find((one) => one.plugin === plugin);
        return problem && { file: placeOf(problem.origin), fault: faultOf(problem) };
      },
    });
  }
}

/** Looks at what the configuration names. Changes nothing. */
async function look(reading: ConfigReading): Promise<Known> {
  const { paths, enabled, settings } = reading.config.plugins;
  const discovery = await discoverPlugins([bundledPlugins(), ...paths]);
  const problems = settingsProblems({
    settings,
    found: discovery.plugins,
    elsewhere: enabled,
    locate: (pointer) => reading.locate(pointer) ?? { kind: 'variable', name: 'the defaults' },
  });
  const wrong = new Set(problems.map(({ plugin }) => plugin));
  const policy = {
    enabled: new Set(enabled.filter((plugin) => !wrong.has(plugin))),
    settings: new Map(Object.entries(settings)),
  };
  return { reading, discovery, problems, policy };
}

function faultOf({ pointer, message, suggestion }: SettingsProblem): PluginFault {
  const hint = suggestion ?? 'Correct the settings, then: palyra plugins reload';
  return { code: 'plugin.config_invalid', pointer, message: `${pointer} ${message}`, hint };
}

function placeOf(origin: Origin): string {
  return origin.kind === 'file' ? `${origin.file}:${origin.line}:${origin.column}` : origin.name;
}

/** Options that are not what they were at the start, and count after a restart only. */
function changedOptions(before: ConfigReading, after: ConfigReading): readonly string[] {
  return configOptions
    .filter(({ pointer }) => !live.has(pointer))
    .filter(({ path }) => {
      const [was, is] = [valueAt(before.written, path), valueAt(after.written, path)];
      return JSON.stringify(was) !== JSON.stringify(is);
    })
    .map(({ pointer }) => pointer);
}
