import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { sendToUplink } from '../actors/addresses.js';
import { nodeError } from '../actors/errors.js';
import type { PluginAnnouncement, PluginSettings } from '../actors/link/frames.js';
import type { Clock } from '../kernel/clock.js';
import type { Directory } from '../kernel/directory.js';
import { toAppError } from '../kernel/errors.js';
import { type Discovery, discoverPlugins, type LoadedManifest, quarantineOf } from '../plugins/discovery.js';
import { inFile } from '../plugins/plugin-errors.js';
import { PluginHost } from '../plugins/plugin-host.js';
import type { ProcessPlugin } from '../plugins/plugin-loader.js';
import type { Runner } from '../plugins/runner.js';
import type { HostServices } from '../plugins/sdk/handler.js';
import { settingsErrors } from '../plugins/settings.js';
import { ValidatorCache } from '../plugins/validators.js';
import { announcementOf } from './announcement.js';
import { mayRun, type PluginComplaint, type PluginSource, settingsOf } from './plugin-rules.js';
import type { PluginProblem, Reporter } from './reporter.js';

export interface NodePluginsOptions {
  readonly source: PluginSource;
  readonly services: HostServices;
  readonly processes: { runner(plugin: ProcessPlugin): Runner };
  /** Default: the machine's. */
  readonly clock?: Clock;
  readonly directory: Directory;
  readonly report: Reporter;
}

/** A plugin that runs, and what it runs by: when that is another by the next look, it is replaced. */
interface Running {
  readonly file: string;
  readonly key: string;
}

/**
 * The plugins of a node, and what it says to the daemon of them. They may be replaced, and other rules taken over, while the node
 * runs: what is under way ends where it began.
 */
export class NodePlugins {
  readonly host: PluginHost;
  readonly #options: NodePluginsOptions;
  readonly #running = new Map<string, Running>();
  #source: PluginSource;
  #discovery: Discovery;
  /** What the daemon sets, by plugin. */
  #given: ReadonlyMap<string, object> = new Map();
  #revision = 0;
  /** Changes are made one after the other. */
  #changes: Promise<unknown> = Promise.resolve();

  private constructor(options: NodePluginsOptions, host: PluginHost, discovery: Discovery) {
    this.#options = options;
    this.#source = options.source;
    this.#discovery = discovery;
    this.host = host;
  }

  static async load(options: NodePluginsOptions): Promise<NodePlugins> {
    const { source, services, processes, clock } = options;
    const discovery = await discoverPlugins(source.roots, { platform: process.platform });
    const complaints = source.check?.(discovery.plugins) ?? [];
    const wanted = runnable(discovery, source, complaints);
    let plugins: NodePlugins | undefined;
    const host = await PluginHost.load({
      plugins: wanted,
      services,
      trusted: (plugin) => isTrusted(plugin, plugins?.source ?? source),
      processRunner: (plugin) => processes.runner(plugin),
      config: new Map(
        wanted.map(({ manifest: { name } }) => [name, settingsOf(source.rules, new Map(), name)]),
      ),
      ...(clock === undefined ? {} : { clock }),
    });
    plugins = new NodePlugins(options, host, discovery);
    for (const plugin of wanted) {
      const { name } = plugin.manifest;
      if (!host.quarantined.some(({ file }) => file === plugin.file)) await plugins.#note(plugin, name);
    }
    plugins.#tell([...complaints, ...host.quarantined]);
    return plugins;
  }

  /** The rules by which it runs what it runs. */
  get source(): PluginSource {
    return this.#source;
  }

  /** Numbers what is announced: it changes with it. */
  get revision(): number {
    return this.#revision;
  }

  /** What the node says that it offers, one entry a plugin. */
  announced(): readonly PluginAnnouncement[] {
    return announcementOf(this.host.descriptors());
  }

  /**
   * Takes up a plugin, or another build of one that runs, and tells the daemon; see {@link PluginHost.replace}. The line to
   * the daemon stays up. What the new build offers more than was approved waits for an operator.
   *
   * @throws AppError when it can't be loaded: nothing has changed then
   */
  async replace(plugin: LoadedManifest, config?: unknown): Promise<{ readonly drained: Promise<void> }> {
    const replaced = await this.host.replace(plugin, config);
    await this.#note(plugin, plugin.manifest.name);
    this.announce();
    return replaced;
  }

  /** Takes a plugin away and tells the daemon. Resolves when its runs have ended. */
  async remove(name: string): Promise<void> {
    const removed = this.host.remove(name);
    this.#running.delete(name);
    this.announce();
    await removed;
  }

  /**
   * Looks at the folders again and goes on by these rules. The line to the daemon stays up. A plugin that can't be loaded stays as it
   * was, and is reported.
   *
   * @throws AppError `node.bad_settings` when settings are wrong: nothing has changed then
   */
  reload(source: PluginSource): Promise<void> {
    return this.#inTurn(async () => {
      const discovery = await discoverPlugins(source.roots, { platform: process.platform });
      const [wrong] = source.check?.(discovery.plugins) ?? [];
      if (wrong !== undefined) {
        throw nodeError('bad_settings', `${wrong.file}: ${wrong.message}`, {
          fields: [{ field: wrong.pointer, message: wrong.message }],
          hint: wrong.hint,
        });
      }
      this.#source = source;
      this.#discovery = discovery;
      this.#tell(await this.#settle());
    });
  }

  /** Takes over what the daemon sets for plugins. What a plugin does not accept is not taken over, and is reported. */
  given(settings: readonly PluginSettings[]): Promise<void> {
    return this.#inTurn(async () => {
      const given = readSettings(settings);
      const names = new Set([...given.keys(), ...this.#given.keys()]);
      const changed = new Set([...names].filter((name) => !isSame(given.get(name), this.#given.get(name))));
      this.#given = given;
      if (changed.size === 0) return;
      const problems = await this.#bringAll(
        this.#runnable().filter(({ manifest }) => changed.has(manifest.name)),
      );
      if (problems.length > 0) this.#tell(problems);
    });
  }

  /** Makes what runs be what the rules say. Returns what could not be made so. */
  async #settle(): Promise<readonly PluginProblem[]> {
    const before = this.#offer();
    const wanted = this.#runnable();
    const problems = await this.#bringAll(wanted);
    const kept = new Set(wanted.map(({ manifest }) => manifest.name));
    // What stands broken on the disk at this moment goes on as it was loaded.
    const broken = new Set(this.#discovery.quarantined.map(({ file }) => file));
    for (const [name, { file }] of this.#running) {
      if (kept.has(name) || (broken.has(file) && mayRun(this.#source.rules, name))) continue;
      this.#running.delete(name);
      void this.host.remove(name);
    }
    if (this.#offer() !== before) this.announce();
    return problems;
  }

  #runnable(): readonly LoadedManifest[] {
    return runnable(this.#discovery, this.#source, []);
  }

  /** What is announced, in a word: the daemon is told when it is another. */
  #offer(): string {
    return JSON.stringify(
      this.host
        .descriptors()
        .map(({ digest, version, build, standing }) => [digest, version, build, standing]),
    );
  }

  async #bringAll(wanted: readonly LoadedManifest[]): Promise<PluginProblem[]> {
    const problems: PluginProblem[] = [];
    for (const plugin of wanted) {
      const { name } = plugin.manifest;
      try {
        await this.#bring(plugin, name, problems);
      } catch (thrown) {
        problems.push(quarantineOf(inFile(toAppError(thrown), plugin.file), name, plugin.file));
      }
    }
    return problems;
  }

  /** Loads a plugin that does not run as it should. */
  async #bring(plugin: LoadedManifest, name: string, problems: PluginProblem[]): Promise<void> {
    const settings = this.#settingsFor(plugin, name, problems);
    const key = await keyOf(plugin, settings, isTrusted(plugin, this.#source));
    if (this.#running.get(name)?.key === key) return;
    await this.host.replace(plugin, settings);
    this.#running.set(name, { file: plugin.file, key });
  }

  #settingsFor({ manifest, file }: LoadedManifest, name: string, problems: PluginProblem[]): object {
    const { rules } = this.#source;
    const settings = settingsOf(rules, this.#given, name);
    const [wrong] = this.#given.has(name) ? settingsErrors(manifest, settings, new ValidatorCache()) : [];
    if (wrong === undefined) return settings;
    const message = `does not accept what the daemon sets for it: ${wrong.field || 'it'} ${wrong.message}`;
    const hint = 'The daemon may have another version of the plugin; it goes on with its own settings';
    problems.push({ plugin: name, file, message, hint });
    return settingsOf(rules, new Map(), name);
  }

  async #note(plugin: LoadedManifest, name: string): Promise<void> {
    const settings = settingsOf(this.#source.rules, this.#given, name);
    const key = await keyOf(plugin, settings, isTrusted(plugin, this.#source));
    this.#running.set(name, { file: plugin.file, key });
  }

  #tell(problems: readonly (PluginProblem | PluginComplaint)[]): void {
    this.#options.report({
      event: 'plugins',
      capabilities: this.host.descriptors().map(({ descriptor }) => descriptor.name),
      quarantined: [...this.#discovery.quarantined, ...problems].map(({ plugin, file, message, hint }) => ({
        plugin,
        file,
        message,
        ...(hint === undefined ? {} : { hint }),
      })),
    });
  }

  /** Tells the daemon what has changed of how the plugins stand. */
  announce(): void {
    this.#revision++;
    sendToUplink(this.#options.directory, { type: 'offer.changed' });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(work);
    this.#changes = done.catch(() => undefined);
    return done;
  }
}

/** What was found and may run. */
function runnable(
  { plugins }: Discovery,
  { rules }: PluginSource,
  complaints: readonly PluginComplaint[],
): readonly LoadedManifest[] {
  const wrong = new Set(complaints.map(({ plugin }) => plugin));
  return plugins.filter(({ manifest: { name } }) => mayRun(rules, name) && !wrong.has(name));
}

/** Inline code is for plugins that the owner trusts: those that come with this package, and those that the owner names. */
function isTrusted({ root, manifest }: LoadedManifest, { roots, rules }: PluginSource): boolean {
  return root === roots[0] || rules.trusted.has(manifest.name);
}

/** What a plugin runs by. */
async function keyOf(plugin: LoadedManifest, settings: object, trusted: boolean): Promise<string> {
  const code = createHash('sha256')
    .update(await readFile(plugin.entry))
    .digest('hex');
  return JSON.stringify([plugin.entry, code, plugin.manifest, settings, trusted]);
}

/** Whether two settings say the same; what is not set is nothing. */
function isSame(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The daemon's settings by plugin; what is no JSON object counts as none. */
function readSettings(settings: readonly PluginSettings[]): ReadonlyMap<string, object> {
  const read = new Map<string, object>();
  for (const { plugin, settings: bytes } of settings) {
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) read.set(plugin, value);
    } catch {
      // As if the daemon had set nothing: its own schema would have refused it.
    }
  }
  return read;
}
