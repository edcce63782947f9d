import { parseJoinString } from '../actors/identity/join-string.js';
import { systemOpener } from '../adapters/os/opener.js';
import { jsonLog } from '../adapters/telemetry/log.js';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import { AppError, toAppError } from '../kernel/errors.js';
import { type NodeHost, type NodeHostOptions, startNodeHost } from '../node/node-host.js';
import { noRules, type PluginSource } from '../node/plugin-rules.js';
import type { NodeReport } from '../node/reporter.js';
import type { PackedPlugin } from '../plugins/authoring/pack.js';
import { openProject } from '../plugins/authoring/plugin-project.js';
import { SourceWatch } from '../plugins/authoring/source-watch.js';
import { StagedPlugin } from '../plugins/authoring/staged-plugin.js';
import type { CliContext } from './context.js';
import { decidePairing } from './decide-pairing.js';
import { adviceOn, type Examples } from './dev-advice.js';
import { devLog } from './dev-log.js';
import type { DevReporter } from './dev-report.js';
import { mediatorFor } from './node-terminal.js';

export interface DevSessionOptions {
  /** The folder of the plugin. */
  readonly folder: string;
  /** Where the node of this command keeps its identity. What it runs lies beside it. */
  readonly stateDirectory: string;
  /** The name by which the node is to join. */
  readonly nodeName: string;
  readonly json: boolean;
  readonly context: CliContext;
  readonly report: DevReporter;
  /** The daemon: asked only when the node has to join it. */
  connect(): Promise<ControlPlaneClient>;
}

/**
 * Runs a plugin that is being written on a node of its own, and again with each change. What can't be built changes nothing; the node and
 * its line to the daemon stay up.
 */
export class DevSession {
  readonly #options: DevSessionOptions;
  readonly #staged: StagedPlugin;
  readonly #over: AbortSignal;
  readonly #watch = new SourceWatch(() => this.#wake());
  #isChanged = false;
  #wake: () => void = () => {
    this.#isChanged = true;
  };
  #examples: Examples = new Map();
  #build = '';
  #name: string;
  #told = '';

  constructor(options: DevSessionOptions, over: AbortSignal) {
    this.#options = options;
    this.#name = options.nodeName;
    this.#over = over;
    this.#staged = new StagedPlugin(options.folder, `${options.stateDirectory}-plugins`);
  }

  /** Resolves when it was told to end. @throws AppError those of the node host and of the daemon */
  async run(): Promise<void> {
    const project = await openProject(this.#options.folder);
    this.#watch.follow([project.source]);
    try {
      while (!this.#over.aborted && !(await this.#tryBuild())) await this.#change();
      if (this.#over.aborted) return;
      const host = await this.#startHost();
      const stop = (): void => void host.stop('the end of dev').catch(() => undefined);
      if (this.#over.aborted) stop();
      this.#over.addEventListener('abort', stop, { once: true });
      await Promise.race([host.ended, this.#followChanges(host)]);
      await host.ended;
    } finally {
      this.#watch.close();
    }
  }

  async #followChanges(host: NodeHost): Promise<void> {
    while (!this.#over.aborted) {
      await this.#change();
      if (this.#over.aborted || !(await this.#tryBuild())) continue;
      await host.plugins.reload(this.#source()).catch((thrown: unknown) => {
        this.#options.report({ event: 'reload_refused', error: toAppError(thrown).toEnvelope() });
      });
    }
  }

  /** Waits until a file has changed since the last build began. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#over.removeEventListener('abort', done);
        this.#wake = () => {
          this.#isChanged = true;
        };
        this.#isChanged = false;
        resolve();
      };
      if (this.#isChanged || this.#over.aborted) {
        done();
        return;
      }
      this.#wake = done;
      this.#over.addEventListener('abort', done, { once: true });
    });
  }

  /** Returns whether there is another build. */
  async #tryBuild(): Promise<boolean> {
    const { report } = this.#options;
    let packed: PackedPlugin;
    try {
      packed = await this.#staged.build();
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      report({ event: 'build_failed', error: thrown.toEnvelope() });
      return false;
    }
    const { bundle, description } = packed;
    this.#watch.follow(bundle.files);
    if (bundle.build === this.#build) return false;
    this.#build = bundle.build;
    this.#told = '';
    this.#examples = new Map(description.capabilities.map(({ name, examples }) => [name, examples?.[0]]));
    const { name, version } = description;
    const bytes = Buffer.byteLength(bundle.text);
    report({ event: 'built', name, version, build: bundle.build, bytes });
    return true;
  }

  /** The plugin alone. Its author trusts it to run inside the node, if it asks to. */
  #source(): PluginSource {
    return { roots: [this.#staged.root], rules: noRules };
  }

  async #startHost(): Promise<NodeHost> {
    const { stateDirectory, context, json, report, connect } = this.#options;
    const options: NodeHostOptions = {
      stateDirectory,
      pluginSource: this.#source(),
      services: systemOpener(),
      mediator: await mediatorFor({ json }, context, report, false),
      log: devLog(jsonLog('warn'), report),
      report: (event) => this.#note(event),
      drainMs: 2_000,
    };
    try {
      return await startNodeHost(options, this.#over);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'node.not_paired') throw thrown;
    }
    const client = await connect();
    const { joinString } = await client.mintJoinString({ purpose: 'palyra plugin dev' });
    const invitation = { method: 'join', join: parseJoinString(joinString) } as const;
    return startNodeHost({ ...options, invitation }, this.#over);
  }

  #note(event: NodeReport): void {
    const { report } = this.#options;
    report(event);
    if (event.event === 'pending_approval') {
      this.#approve(event.pairingId).catch((thrown: unknown) => {
        report({ event: 'waits', why: toAppError(thrown).message, command: this.#approval(event.pairingId) });
      });
    }
    if (event.event === 'connected') this.#name = event.name;
    if (event.event === 'connected' || event.event === 'surface') {
      const advice = adviceOn(this.#name, this.#staged.name ?? '', event.capabilities, this.#examples);
      const text = JSON.stringify(advice);
      if (text === this.#told) return;
      this.#told = text;
      for (const one of advice) report(one);
    }
  }

  #approval(pairingId: string): string {
    return `palyra pairings approve ${pairingId} --name ${this.#options.nodeName}`;
  }

  /** Whoever sits here is asked as the operator that they are; else they are told what to type. */
  async #approve(pairingId: string): Promise<void> {
    const { context, json, nodeName, report, connect } = this.#options;
    if (json || !context.interactive) {
      report({
        event: 'waits',
        why: 'An operator has to let this node join:',
        command: this.#approval(pairingId),
      });
      return;
    }
    const client = await connect();
    const pairing = await client.getPairing(pairingId);
    await decidePairing(client, context, pairing, 'approve', { name: nodeName });
  }
}
