import { sendToUplink } from '../actors/addresses.js';
import { nodeError } from '../actors/errors.js';
import type { PluginAnnouncement, PluginSettings } from '../actors/link/frames.js';
import type { Clock } from '../kernel/clock.js';
import type { Directory } from '../kernel/directory.js';
import { toAppError } from '../kernel/errors.js';
import { type Discovery, discoverPlugins, type LoadedManifest, quarantineOf } from '../plugins/discovery.js';
import { inFile } from '../plugins/plugin-errors.js';
import { PluginHost, type PreparedPlugin } from '../plugins/plugin-host.js';
import type { ProcessPlugin } from '../plugins/plugin-loader.js';
import type { Runner } from '../plugins/runner.js';
import type { HostServices } from '../plugins/sdk/handler.js';
import { settingsErrors } from '../plugins/settings.js';
import { ValidatorCache } from '../plugins/validators.js';
import { announcementOf } from './announcement.js';
import { isSame, isTrusted, keyOf, readSettings } from './plugin-identity.js';
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

/** What was loaded to be put to use, and what could not be. */
interface Brought {
  readonly next: readonly PreparedPlugin[];
  readonly problems: PluginProblem[];
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
  /** Which of its offers the daemon knows that it is connected to; undefined while it is to none. */
  #known: number | undefined;
  #waiting: (() => void)[] = [];
  /** Builds that the daemon is to know of before they are used. */
  readonly #prepared: PreparedPlugin[] = [];
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
      isolated: ({ manifest }) => (plugins?.source ?? source).rules.isolated.has(manifest.name),
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
   * Takes up a plugin, or another build of one that runs. The daemon is told first, on a line that stays up, so that it asks
   * for nothing that only an earlier build was approved for; then new runs go to the new build. What that offers more than
   * was approved waits for an operator.
   *
   * @throws AppError when it can't be loaded: nothing has changed then
   */
  async replace(plugin: LoadedManifest, config?: unknown): Promise<{ readonly drained: Promise<void> }> {
    const next = await this.host.prepare(plugin, config);
    await this.#note(plugin, plugin.manifest.name);
    this.announce();
    await this.#isKnown();
    return { drained: next.use() };
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
  async reload(source: PluginSource): Promise<void> {
    const problems = await this.#inTurn(async () => {
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
      return this.#settle();
    });
    // Not within its turn: a line comes about only when what the daemon sets has had its own.
    await this.#usePrepared();
    this.#tell(problems);
  }

  /** Takes over what the daemon sets for plugins. What a plugin does not accept is not taken over, and is reported. */
  given(settings: readonly PluginSettings[]): Promise<void> {
    return this.#inTurn(async () => {
      const given = readSettings(settings);
      const names = new Set([...given.keys(), ...this.#given.keys()]);
      const changed = new Set([...names].filter((name) => !isSame(given.get(name), this.#given.get(name))));
      this.#given = given;
      if (changed.size === 0) return;
      const { next, problems } = await this.#bringAll(
        this.#runnable().filter(({ manifest }) => changed.has(manifest.name)),
      );
      this.#prepared.push(...next);
      void this.#usePrepared();
      if (problems.length > 0) this.#tell(problems);
    });
  }

  /** Makes what runs be what the rules say. Returns what could not be made so. */
  async #settle(): Promise<readonly PluginProblem[]> {
    const before = this.#offer();
    const wanted = this.#runnable();
    const { next, problems } = await this.#bringAll(wanted);
    const kept = new Set(wanted.map(({ manifest }) => manifest.name));
    // What stands broken on the disk at this moment goes on as it was loaded.
    const broken = new Set(this.#discovery.quarantined.map(({ file }) => file));
    for (const [name, { file }] of this.#running) {
      if (kept.has(name) || (broken.has(file) && mayRun(this.#source.rules, name))) continue;
      this.#running.delete(name);
      void this.host.remove(name);
    }
    this.#prepared.push(...next);
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

  async #bringAll(wanted: readonly LoadedManifest[]): Promise<Brought> {
    const problems: PluginProblem[] = [];
    const next: PreparedPlugin[] = [];
    for (const plugin of wanted) {
      const { name } = plugin.manifest;
      try {
        const prepared = await this.#bring(plugin, name, problems);
        if (prepared !== undefined) next.push(prepared);
      } catch (thrown) {
        problems.push(quarantineOf(inFile(toAppError(thrown), plugin.file), name, plugin.file));
      }
    }
    return { next, problems };
  }

  /** Loads a plugin that does not run as it should, or does not run any more. */
  async #bring(
    plugin: LoadedManifest,
    name: string,
    problems: PluginProblem[],
  ): Promise<PreparedPlugin | undefined> {
    const settings = this.#settingsFor(plugin, name, problems);
    const key = await keyOf(plugin, settings, this.#source);
    if (this.#running.get(name)?.key === key && !this.#isDisabled(name)) return undefined;
    const next = await this.host.prepare(plugin, settings);
    this.#running.set(name, { file: plugin.file, key });
    return next;
  }

  #isDisabled(name: string): boolean {
    return this.host
      .descriptors()
      .some(({ descriptor, standing }) => descriptor.plugin === name && standing.disabled !== undefined);
  }

  #settingsFor({ manifest, file }: LoadedManifest, name: string, problems: PluginProblem[]): object {
    const { rules } = this.#source;
    const settings = settingsOf(rules, this.#given, name);
    const [wrong] = this.#given.has(name) ? settingsErrors(manifest, settings, new ValidatorCache()) : [];
    if (wrong === undefined) return settings;
    const message = `does not accept what the daemon sets for it: ${wrong.field || 'it'} ${wrong.message}`;
    const hint = 'The daemon may have another version of the plugin; it goes on with its own settings';
    problems.push({ plugin: name, file, pointer: '/config', message, hint });
    return settingsOf(rules, new Map(), name);
  }

  async #note(plugin: LoadedManifest, name: string): Promise<void> {
    const settings = settingsOf(this.#source.rules, this.#given, name);
    const key = await keyOf(plugin, settings, this.#source);
    this.#running.set(name, { file: plugin.file, key });
  }

  #tell(problems: readonly (PluginProblem | PluginComplaint)[]): void {
    this.#options.report({
      event: 'plugins',
      capabilities: this.host.descriptors().map(({ descriptor }) => descriptor.name),
      quarantined: [...this.#discovery.quarantined, ...problems].map(
        ({ plugin, file, pointer, message, hint }) => ({
          plugin,
          file,
          pointer,
          message,
          ...(hint === undefined ? {} : { hint }),
        }),
      ),
    });
  }

  /** Tells the daemon what has changed of how the plugins stand. */
  announce(): void {
    this.#revision++;
    sendToUplink(this.#options.directory, { type: 'offer.changed' });
  }

  /** What the line to the daemon has told it. @param offered the number of an offer; undefined when there is no line */
  lineStands(offered: number | undefined): void {
    this.#known = offered;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Puts to use what was prepared, once the daemon knows of it. */
  async #usePrepared(): Promise<void> {
    await this.#isKnown();
    for (const one of this.#prepared.splice(0)) void one.use();
  }

  /** Waits until the daemon knows what is offered now, or is not there to ask for anything. */
  async #isKnown(): Promise<void> {
    while (this.#known !== undefined && this.#known < this.#revision)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
