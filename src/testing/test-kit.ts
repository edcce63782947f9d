import type { DispatchRecord } from '../actors/dispatch/record.js';
import type { MediationAnswer, MediationRequest } from '../actors/mediation/question.js';
import { systemClock } from '../kernel/clock.js';
import { SimulatedClock } from '../kernel/simulated-clock.js';
import type { NodeReport } from '../node/reporter.js';
import type { PluginDefinition } from '../plugins/sdk/define-plugin.js';
import { DefinitionFolder } from './definition-folder.js';
import { Faults } from './faults.js';
import { type CallOptions, KitCall, type Outcome } from './kit-call.js';
import { DaemonDisk, type KitDaemon, node, operator, startKitDaemon } from './kit-daemon.js';
import { type KitNode, NodeDisk, startKitNode } from './kit-node.js';
import { Line } from './line.js';
import { turns } from './process-life.js';
import { type LoggedLine, recordedLog } from './recorded-log.js';

/**
 * Who is at the node when a capability asks: yes, yes and the same for as long as the capability lets (`remember`), no, nobody who
 * says a word, or whoever decides by the question. A yes that is remembered lasts over {@link TestKit.crash}, until the time has
 * passed ({@link TestKit.advance}) or another build has come ({@link TestKit.replace}).
 */
export type Person =
  | 'allow'
  | 'remember'
  | 'deny'
  | 'absent'
  | ((request: MediationRequest) => boolean | MediationAnswer | Promise<boolean | MediationAnswer>);

export interface TestKitOptions {
  /** What `definePlugin` returned. */
  readonly plugin: PluginDefinition;
  /** Its settings, as the owner of the node would give them. Default: none. */
  readonly config?: object;
  /** Who answers at the node. Default: `allow`. */
  readonly person?: Person;
  /** What `host.openUrl` does. Default: only notes the URL in {@link TestKit.openedUrls}. */
  openUrl?(url: string): Promise<void>;
}

/** How long something may take that is waited for, milliseconds of real time. */
const patienceMs = 10_000;
/** A step of simulated time, milliseconds, after which everything that has become ready runs. */
const stepMs = 50;

/**
 * A daemon and a node with a plugin, in this process: the real actors of both, with everything that they check, record and repeat,
 * over a line in memory. Time stands still until {@link advance}; handlers run for real.
 *
 * @example
 * const kit = await testKit({ plugin });
 * const outcome = await kit.invoke('greet', { name: 'Ada' });
 * outcome.state; // 'succeeded'
 * outcome.output; // { greeting: 'Hello, Ada' }
 * await kit.close();
 */
export class TestKit {
  readonly clock: SimulatedClock;
  readonly faults = new Faults();
  /** What plugins had the node open. */
  readonly openedUrls: string[] = [];
  readonly log: LoggedLine[] = [];
  /** What the person at the node was asked. */
  readonly questions: MediationRequest[] = [];
  /** Who is at the node from now on. */
  person: Person;
  readonly #options: TestKitOptions;
  readonly #folder: DefinitionFolder;
  readonly #line: Line;
  readonly #calls = new Map<string, KitCall>();
  readonly #start: number;
  readonly #daemonDisk: DaemonDisk;
  readonly #nodeDisk = new NodeDisk();
  #daemon: KitDaemon | undefined;
  #node: KitNode | undefined;
  #isOnline = false;
  #broken: unknown;

  private constructor(
    options: TestKitOptions,
    clock: SimulatedClock,
    folder: DefinitionFolder,
    disk: DaemonDisk,
  ) {
    this.#options = options;
    this.clock = clock;
    this.#start = clock.now();
    this.#line = new Line(this.faults, clock);
    this.#folder = folder;
    this.#daemonDisk = disk;
    this.person = options.person ?? 'allow';
  }

  /** @throws AppError when the definition, its schemas, its examples or its settings are not sound: what `palyra plugin check` says */
  static async start(options: TestKitOptions): Promise<TestKit> {
    const folder = await DefinitionFolder.make();
    const clock = new SimulatedClock();
    const kit = new TestKit(options, clock, folder, await DaemonDisk.make(clock.now()));
    try {
      await folder.put(options.plugin);
      await kit.#startDaemon();
      await kit.#startNode();
      await kit.online();
      await kit.approve();
    } catch (thrown) {
      await kit.close();
      throw thrown;
    }
    return kit;
  }

  /**
   * Runs a capability and waits for its end, in whatever state that is.
   *
   * @throws AppError `dispatch.*` when the daemon refuses the request: an input that does not fit, an unknown capability
   */
  async invoke(capability: string, input: unknown, options: CallOptions = {}): Promise<Outcome> {
    const call = await this.start(capability, input, options);
    return call.ended();
  }

  /** Sends a request and does not wait: for what happens while a handler runs. @throws AppError as {@link invoke} */
  async start(capability: string, input: unknown, options: CallOptions = {}): Promise<KitCall> {
    const request = {
      node: node.name,
      capability,
      input,
      keyIfNeeded: `kit-${this.#calls.size}`,
      ...options,
    };
    const { id } = await this.#running().dispatches.create(operator, request);
    return this.#callOf(id);
  }

  /** Lets time pass, in small steps, and everything run that becomes due. @param ms milliseconds */
  async advance(ms: number): Promise<void> {
    await this.#settle();
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(left, stepMs));
      await this.#settle();
    }
  }

  /**
   * Waits until something is so, while time stands still.
   *
   * @throws an error when it has not come about within ten seconds of real time
   */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const end = systemClock.monotonic() + patienceMs;
    while (!(await isSo())) {
      if (this.#broken !== undefined) throw this.#broken;
      if (systemClock.monotonic() > end) {
        throw new Error(
          'It has not come about. Does it need time to pass (kit.advance), or the line (kit.online)?',
        );
      }
      if (this.#line.step()) await turns(1);
      else await new Promise((resolve) => systemClock.setTimeout(() => resolve(undefined), 1));
    }
  }

  /** Lets time pass until the node is connected. */
  async online(): Promise<void> {
    await this.#settle();
    for (let waited = 0; !this.#isOnline; waited += stepMs) {
      if (waited > 120_000) throw new Error('The node does not come online: see kit.log');
      await this.advance(stepMs);
    }
  }

  /** Breaks the line. The node connects again when time passes: see {@link online}. */
  disconnect(): void {
    this.#isOnline = false;
    this.#line.cut({ daemon: true, node: true });
  }

  /**
   * Kills one side without a word, as `kill -9` would, and starts it again from what is on its disk. A handler that was running
   * goes on in this process, and nobody hears of it.
   */
  async crash(side: 'daemon' | 'node'): Promise<void> {
    this.#isOnline = false;
    if (side === 'daemon') this.#daemon?.stop();
    else this.#node?.stop();
    this.#line.cut({ daemon: side === 'node', node: side === 'daemon' });
    // What had begun on its disk ends before the next process takes it.
    await turns(2);
    if (side === 'daemon') await this.#startDaemon();
    else await this.#startNode();
    await this.online();
  }

  /**
   * Replaces the plugin by another build of it, as a node does when its file changes. What it offers and was not approved before
   * waits for {@link approve}.
   */
  async replace(plugin: PluginDefinition): Promise<void> {
    await this.#folder.put(plugin);
    const loaded = await this.#folder.find(plugin.name);
    // The daemon is told before the new build is used.
    let isOver = false;
    const replacing = this.#node?.plugins.replace(loaded, this.#options.config ?? {}).finally(() => {
      isOver = true;
    });
    await this.until(() => isOver);
    await replacing;
    await this.#settle();
  }

  /** Approves what the node offers and what waits, as an operator. Returns the capabilities. */
  async approve(): Promise<readonly string[]> {
    const { surfaces } = this.#running();
    const approved: string[] = [];
    for (const { capability, state, digest } of this.offered) {
      if (state === 'approved') continue;
      const event = { type: 'approve', caller: operator, reason: 'test' } as const;
      await surfaces.decide(node.id, capability, event, { digest });
      approved.push(capability);
    }
    await this.#settle();
    return approved;
  }

  /** What the node offers, and whether it may be called. */
  get offered() {
    const { devices } = this.#running();
    const device = devices.get(node.id);
    return (device?.offered ?? []).map((offered) => {
      const isApproved = device?.approvals.some(({ digest }) => digest === offered.digest);
      const state: 'approved' | 'pending' = isApproved ? 'approved' : 'pending';
      return { capability: offered.capability, digest: offered.digest, state };
    });
  }

  /** Ends both sides and removes what the kit has written. Call it in the end of each test. */
  async close(): Promise<void> {
    this.#line.cut({ daemon: false, node: false });
    this.#daemon?.stop();
    // Handlers that still run have their grace, in which time passes.
    let isStopped = false;
    const stopping = this.#node?.plugins.host.stop().finally(() => {
      isStopped = true;
    });
    while (stopping !== undefined && !isStopped) {
      this.clock.advance(stepMs);
      await turns(1);
    }
    this.#node?.stop();
    await this.#folder.remove();
  }

  #running(): KitDaemon {
    if (this.#daemon === undefined) throw new Error('The kit is not started');
    return this.#daemon;
  }

  #callOf(id: string): KitCall {
    const known = this.#calls.get(id);
    if (known !== undefined) return known;
    const call = new KitCall(id, {
      until: (isSo) => this.until(isSo),
      record: () => this.#record(id),
      cancel: async (reason) => {
        await this.#running().dispatches.cancel(operator, id, reason);
      },
    });
    this.#calls.set(id, call);
    return call;
  }

  #record(id: string): Promise<DispatchRecord> {
    return this.#running().dispatches.get(operator, id);
  }

  /** Runs what is ready, until nothing moves. */
  async #settle(): Promise<void> {
    for (let still = 0; still < 3; ) {
      still = this.#line.step() ? 0 : still + 1;
      await turns(2);
    }
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #startDaemon(): Promise<void> {
    this.#daemon = undefined;
    this.#daemon = await startKitDaemon({
      disk: this.#daemonDisk,
      clock: this.clock,
      enabled: [this.#options.plugin.name],
      log: recordedLog(this.log),
      storeFailed: (error) => this.#fail(error),
    });
  }

  async #startNode(): Promise<void> {
    const { plugin, config, openUrl } = this.#options;
    this.#node = await startKitNode({
      disk: this.#nodeDisk,
      clock: this.clock,
      start: this.#start,
      pluginRoot: this.#folder.root,
      config: new Map(config === undefined ? [] : [[plugin.name, config]]),
      services: {
        openUrl: async (url) => {
          await openUrl?.(url);
          this.openedUrls.push(url);
        },
      },
      mediator: {
        atOnce: Number.POSITIVE_INFINITY,
        ask: (request, _signal, answer) => {
          this.questions.push(request);
          void this.#answer(request).then((given) => {
            if (given !== undefined) answer(given);
          });
        },
        close: () => undefined,
      },
      log: recordedLog(this.log),
      report: (report) => this.#note(report),
      daemon: () => this.#daemon,
      opened: (wire) => this.#line.add(wire),
      running: ({ dispatchId }) => this.#callOf(dispatchId).noteRunning(),
      progressed: ({ dispatchId }, value) => this.#callOf(dispatchId).progress.push(value),
      storeFailed: (error) => this.#fail(error),
    });
  }

  async #answer(request: MediationRequest): Promise<MediationAnswer | undefined> {
    const { person } = this;
    if (person === 'absent') return undefined;
    const said = typeof person === 'function' ? await person(request) : person;
    if (typeof said === 'object') return said;
    if (said === 'remember') return { answer: 'allow', rememberMs: request.remember?.mostMs ?? 0 };
    return { answer: said === true || said === 'allow' ? 'allow' : 'deny' };
  }

  #note(report: NodeReport): void {
    if (report.event === 'connected') this.#isOnline = true;
    if (report.event === 'disconnected') this.#isOnline = false;
    if (report.event !== 'plugins') return;
    const [left] = report.quarantined;
    if (left) this.#fail(new Error(`${left.message}${left.hint === undefined ? '' : `. ${left.hint}`}`));
  }

  #fail(error: unknown): void {
    this.#broken ??= error;
  }
}

/** Starts a {@link TestKit}: the node is enrolled and online, and what the plugin offers is enabled and approved. */
export function testKit(options: TestKitOptions): Promise<TestKit> {
  return TestKit.start(options);
}
