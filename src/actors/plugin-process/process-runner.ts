import { jitteredBackoff } from '../../kernel/backoff.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import { RestartIntensity } from '../../kernel/restart-intensity.js';
import { abortIgnored, neverStarted, refuseLate } from '../../plugins/handler-run.js';
import { type RunCall, type Runner, stoppedError, unknownCapability } from '../../plugins/runner.js';
import type { PluginStanding } from '../../plugins/standing.js';
import { pluginProcessAddress, sendToPluginProcess, startMember } from '../addresses.js';
import type { PluginProcessPorts } from './behaviour.js';
import type { PluginProcessEvent } from './events.js';
import { OpenRun, tooBusy } from './open-run.js';
import { ProcessLine, processEnded } from './process-line.js';
import type { ProcessParts, ProcessSpec } from './process-parts.js';

/** Runs of one plugin that may be under way or wait at a time. */
const pendingLimit = 1_024;
/** Bytes that may wait to be taken by a process before runs are refused. */
const backlogLimit = 16 * 1024 * 1024;
/** After so many restarts within five minutes the next failure disables the plugin. */
const restarts = { most: 4, withinMs: 300_000 } as const;

interface Starter {
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

/**
 * Runs one build of a plugin in a process of its own, which the `plugin-process` machine starts and ends. Runs go straight
 * to the process: the machine hears only of what changes its state.
 */
export class ProcessRunner implements Runner {
  readonly plugin: string;
  readonly #key: string;
  readonly #spec: ProcessSpec;
  readonly #parts: ProcessParts;
  readonly #ports: PluginProcessPorts;
  readonly #waiting = new Set<OpenRun>();
  readonly #starters = new Set<Starter>();
  #line: ProcessLine | undefined;
  #isOpen = false;
  #lastId = 0;
  #disabled: AppError | undefined;
  #stopping: Promise<void> | undefined;
  #stopped: () => void = () => {};

  /** @param key names its member of the crowd `plugins`: no two runners share one */
  constructor(key: string, spec: ProcessSpec, parts: ProcessParts) {
    this.plugin = spec.plugin;
    this.#key = key;
    this.#spec = spec;
    this.#parts = parts;
    this.#ports = this.#makePorts();
  }

  get standing(): PluginStanding {
    const { enforced } = this.#parts;
    const disabled = this.#disabled?.message;
    return { isolation: 'process', enforced, ...(disabled === undefined ? {} : { disabled }) };
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopping !== undefined) return reject(stoppedError(this.plugin));
      if (this.#disabled !== undefined) return reject(this.#disabled);
      if (this.#isOpen) return resolve();
      this.#starters.add({ resolve, reject });
      this.#wake();
    });
  }

  async run(call: RunCall): Promise<unknown> {
    if (this.#stopping !== undefined) throw stoppedError(this.plugin);
    if (this.#disabled !== undefined) throw this.#disabled;
    if (!this.#spec.capabilities.includes(call.capability))
      throw unknownCapability(this.plugin, call.capability);
    refuseLate(call, this.#parts.clock.now());
    const { runs, backlog } = this.#line ?? { runs: new Map(), backlog: 0 };
    if (runs.size + this.#waiting.size >= pendingLimit || backlog > backlogLimit)
      throw tooBusy(this.plugin, pendingLimit);
    const run = new OpenRun({
      id: ++this.#lastId,
      call,
      aborted: (one) => this.#aborted(one),
      settled: (one) => this.#settled(one),
    });
    if (this.#isOpen && this.#line !== undefined) {
      this.#line.send(run);
    } else {
      this.#waiting.add(run);
      this.#wake();
    }
    return run.outcome;
  }

  stop(): Promise<void> {
    this.#stopping ??= new Promise((resolve) => {
      this.#stopped = () => {
        this.#parts.stopped();
        resolve();
      };
      // Only what has reached its process is under way.
      this.#failWaiting(stoppedError(this.plugin));
      if (this.#tell({ type: 'drain', graceMs: this.#parts.limits.graceMs })) return;
      if (this.#line === undefined) this.#stopped();
      else this.#line.end('killed');
    });
    return this.#stopping;
  }

  /** Its actor crashed: the process is ended, and what it ran has failed. The next run starts both again. */
  abandon(error: unknown): void {
    this.#parts.log.error({ plugin: this.plugin, err: error }, 'The actor of a plugin process crashed');
    this.#isOpen = false;
    if (this.#line === undefined) this.#failWaiting(toAppError(error));
    else this.#line.end('killed');
  }

  /** Whether there was somebody to take the event. */
  #tell(event: PluginProcessEvent): boolean {
    return sendToPluginProcess(this.#parts.directory, this.#key, event);
  }

  #wake(): void {
    const { directory } = this.#parts;
    const isThere = directory.has(pluginProcessAddress(this.#key));
    if (isThere || startMember(directory, 'plugins', this.#key, { ports: this.#ports })) {
      this.#tell({ type: 'wanted' });
    } else {
      this.#failWaiting(stoppedError(this.plugin));
    }
  }

  #aborted(run: OpenRun): void {
    if (this.#waiting.has(run)) {
      run.fail(neverStarted(run.call.capability, run.call.signal));
      return;
    }
    this.#line?.cancel(run);
    const { deadlines, limits } = this.#parts;
    const label = 'grace of an aborted run';
    run.grace = deadlines.set(run, limits.graceMs, () => this.#giveUp(run), { label });
  }

  /** A run that goes on after it was told to stop takes its process with it: nothing else can end it. */
  #giveUp(run: OpenRun): void {
    const { graceMs } = this.#parts.limits;
    run.fault = abortIgnored(run.call, graceMs, 'Its process was ended');
    const why = `'${run.call.capability}' went on for ${graceMs} ms after it was told to stop`;
    this.#line?.condemn(processEnded(this.plugin, `was ended: ${why}`));
  }

  #settled(run: OpenRun): void {
    this.#waiting.delete(run);
    if (run.grace !== undefined) this.#parts.deadlines.clear(run.grace);
    const { runs } = this.#line ?? {};
    if (runs?.delete(run.id) && runs.size === 0 && this.#stopping !== undefined) this.#tell({ type: 'idle' });
  }

  #failWaiting(error: AppError): void {
    for (const run of [...this.#waiting]) run.fail(error);
    for (const { reject } of this.#starters) reject(error);
    this.#starters.clear();
  }

  #launch(run: number): void {
    this.#line = new ProcessLine({
      spec: this.#spec,
      parts: this.#parts,
      run,
      tell: (event) => void this.#tell(event),
      gone: () => {
        if (this.#tell({ type: 'gone', run })) return;
        // Its actor has crashed or was stopped by force.
        this.#bury(processEnded(this.plugin, 'was ended with its actor'), true);
        this.#stopped();
      },
    });
  }

  #open(): void {
    this.#isOpen = true;
    for (const { resolve } of this.#starters) resolve();
    this.#starters.clear();
    for (const run of this.#waiting) this.#line?.send(run);
    this.#waiting.clear();
  }

  #bury(error: AppError, wasLoaded: boolean): void {
    const ended = [...(this.#line?.runs.values() ?? [])];
    this.#line = undefined;
    for (const run of ended) run.fail(run.fault ?? error);
    if (!wasLoaded) this.#failWaiting(error);
  }

  #disable(error: AppError): void {
    this.#disabled = error;
    this.#failWaiting(error);
    this.#parts.disabled(this.plugin, error);
  }

  #makePorts(): PluginProcessPorts {
    const { deadlines, clock, limits, random } = this.#parts;
    return {
      plugin: this.plugin,
      deadlines,
      clock,
      limits,
      backoff: jitteredBackoff({ firstMs: 0, baseMs: 200, maxMs: 30_000, random }),
      failures: new RestartIntensity(restarts.most, restarts.withinMs),
      launch: (run) => this.#launch(run),
      greet: () => this.#line?.greet(),
      open: () => this.#open(),
      close: () => {
        this.#isOpen = false;
      },
      ping: () => this.#line?.ping(),
      unanswered: () => this.#line?.unanswered ?? 0,
      residentBytes: () => this.#line?.residentBytes() ?? 0,
      end: (how) => this.#line?.end(how),
      buried: (error, wasLoaded) => this.#bury(error, wasLoaded),
      isWanted: () => this.#waiting.size + this.#starters.size > 0,
      isBusy: () => (this.#line?.runs.size ?? 0) > 0,
      disabled: (error) => this.#disable(error),
      stopped: () => {
        this.#failWaiting(stoppedError(this.plugin));
        this.#stopped();
      },
    };
  }
}
