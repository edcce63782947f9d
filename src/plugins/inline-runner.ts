import { type Clock, systemClock, type TimerHandle } from '../kernel/clock.js';
import {
  abortIgnored,
  invokeHandler,
  jsonOutput,
  type RunState,
  refuseLate,
  runFailure,
} from './handler-run.js';
import { loadHandlers, type PluginCode } from './plugin-code.js';
import { pluginError } from './plugin-errors.js';
import {
  loadTimeout,
  type RunCall,
  type Runner,
  runLimits,
  stoppedError,
  unknownCapability,
} from './runner.js';
import type { Handler } from './sdk/handler.js';
import type { PluginStanding } from './standing.js';

export interface InlineRunnerOptions extends PluginCode {
  readonly clock?: Clock;
  /** How long an aborted handler may take to stop, milliseconds. Default: 2000. */
  readonly graceMs?: number;
  /** How long loading may take, milliseconds. Default: 10000. */
  readonly loadMs?: number;
}

/**
 * Runs a plugin inside this process: no start-up cost, and no protection. A handler that never gives the loop back stops
 * everything, so only plugins that the operator trusts run like this.
 *
 * @example
 * const runner = new InlineRunner({ plugin: 'echo', entry: '/srv/plugins/echo/dist/index.js', capabilities: ['echo'] });
 * await runner.start();
 */
export class InlineRunner implements Runner {
  readonly plugin: string;
  readonly standing: PluginStanding = { isolation: 'inline', enforced: [] };
  readonly #options: InlineRunnerOptions;
  readonly #clock: Clock;
  readonly #graceMs: number;
  #handlers: ReadonlyMap<string, Handler> = new Map();
  #state: 'new' | 'running' | 'stopped' = 'new';
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(options: InlineRunnerOptions) {
    this.plugin = options.plugin;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#graceMs = options.graceMs ?? runLimits.graceMs;
  }

  async start(): Promise<void> {
    this.#handlers = await this.#load();
    this.#state = 'running';
  }

  async run(call: RunCall): Promise<unknown> {
    if (this.#state === 'stopped') throw stoppedError(this.plugin);
    if (this.#state === 'new') {
      throw pluginError('not_started', `Plugin '${this.plugin}' is not running`, {
        hint: 'Try again once it has started',
      });
    }
    const handler = this.#handlers.get(call.capability);
    if (handler === undefined) throw unknownCapability(this.plugin, call.capability);
    refuseLate(call, this.#clock.now());
    const run: RunState = { over: false };
    this.#underWay++;
    try {
      const outcome = invokeHandler(handler, call, run);
      return jsonOutput(call.capability, isPromise(outcome) ? await this.#settle(outcome, call) : outcome);
    } finally {
      run.over = true;
      if (--this.#underWay === 0) this.#idle?.();
    }
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(resolve, this.#graceMs);
      this.#idle = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Waits for the handler, or for the grace period after an abort, whichever comes first. */
  #settle(outcome: Promise<unknown>, call: RunCall): Promise<unknown> {
    const { signal } = call;
    return new Promise((resolve, reject) => {
      let grace: TimerHandle;
      const onAbort = () => {
        const giveUp = () =>
          reject(abortIgnored(call, this.#graceMs, 'It was given up and may still be running'));
        grace = this.#clock.setTimeout(giveUp, this.#graceMs);
      };
      const end = () => {
        signal.removeEventListener('abort', onAbort);
        if (grace !== undefined) this.#clock.clearTimeout(grace);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      outcome.then(
        (output) => {
          end();
          resolve(output);
        },
        (thrown: unknown) => {
          end();
          reject(runFailure(call, thrown));
        },
      );
    });
  }

  async #load(): Promise<ReadonlyMap<string, Handler>> {
    const loadMs = this.#options.loadMs ?? runLimits.loadMs;
    let timer: TimerHandle;
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimeout(() => reject(loadTimeout(this.plugin, loadMs)), loadMs);
    });
    try {
      return await Promise.race([loadHandlers(this.#options), late]);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
