import { pathToFileURL } from 'node:url';
import { type Clock, systemClock, type TimerHandle } from '../kernel/clock.js';
import { AppError } from '../kernel/errors.js';
import { handlerError } from './handler-error.js';
import { findNonJson, jsonSizeBound } from './json-size.js';
import { pluginError } from './plugin-errors.js';
import type { RunCall, Runner } from './runner.js';
import type { Handler, PluginDefinition } from './sdk/index.js';

/** The most bytes of one progress value as JSON. */
const progressLimit = 64 * 1024;

export interface InlineRunnerOptions {
  readonly plugin: string;
  /** Absolute path of the JavaScript file. */
  readonly entry: string;
  /** The capabilities that its manifest promises. */
  readonly capabilities: readonly string[];
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
  readonly #options: InlineRunnerOptions;
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #handlers = new Map<string, Handler>();
  #state: 'new' | 'running' | 'stopped' = 'new';
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(options: InlineRunnerOptions) {
    this.plugin = options.plugin;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#graceMs = options.graceMs ?? 2_000;
  }

  async start(): Promise<void> {
    const definition = await this.#load();
    for (const name of this.#options.capabilities) {
      const found = definition.capabilities.find((capability) => capability.name === name);
      if (typeof found?.handler !== 'function') {
        throw this.#loadFailed(`its code has no handler for '${name}', which plugin.json promises`);
      }
      this.#handlers.set(name, found.handler);
    }
    this.#state = 'running';
  }

  async run(call: RunCall): Promise<unknown> {
    if (this.#state !== 'running') {
      const code = this.#state === 'new' ? 'not_started' : 'stopped';
      throw pluginError(code, `Plugin '${this.plugin}' is not running`, {
        hint: 'Try again once it has started',
      });
    }
    const handler = this.#handlers.get(call.capability);
    if (handler === undefined) {
      throw pluginError(
        'unknown_capability',
        `Plugin '${this.plugin}' has no capability '${call.capability}'`,
      );
    }
    if (call.signal.aborted) throw cancelled(call);
    if (call.deadline <= this.#clock.now()) {
      throw pluginError(
        'deadline_exceeded',
        `The deadline of '${call.capability}' was over before it could start`,
      );
    }
    const run: RunState = { over: false };
    this.#underWay++;
    try {
      const outcome = invoke(handler, call, run);
      return checkOutput(call.capability, isPromise(outcome) ? await this.#settle(outcome, call) : outcome);
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
        grace = this.#clock.setTimeout(() => reject(this.#ignored(call)), this.#graceMs);
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
          reject(failure(call, thrown));
        },
      );
    });
  }

  #ignored({ capability, signal }: RunCall): AppError {
    const message = `'${capability}' went on for ${this.#graceMs} ms after it was told to stop`;
    const hint = 'Its handler must end when its signal is aborted. It was given up and may still be running';
    return pluginError('abort_ignored', message, { hint, cause: signal.reason });
  }

  async #load(): Promise<PluginDefinition> {
    const loadMs = this.#options.loadMs ?? 10_000;
    let timer: TimerHandle;
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimeout(() => {
        const hint = 'Do no slow work while the module is loaded; do it in the handler';
        reject(
          pluginError('load_timeout', `Plugin '${this.plugin}' did not load within ${loadMs} ms`, { hint }),
        );
      }, loadMs);
    });
    try {
      const module: { readonly default?: unknown } = await Promise.race([
        import(pathToFileURL(this.#options.entry).href),
        late,
      ]);
      if (isDefinition(module.default)) return module.default;
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown;
      throw this.#loadFailed(
        `its code failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        thrown,
      );
    } finally {
      this.#clock.clearTimeout(timer);
    }
    throw this.#loadFailed('its entry has no default export made by definePlugin');
  }

  #loadFailed(why: string, cause?: unknown): AppError {
    const hint = 'Build the plugin again, and load its entry with node to see the whole error';
    return pluginError('load_failed', `Plugin '${this.plugin}' can not be loaded: ${why}`, { hint, cause });
  }
}

/** Set when a run is over, whatever its handler still does. */
interface RunState {
  over: boolean;
}

/** Calls the handler with these fields and nothing else. */
function invoke(handler: Handler, call: RunCall, run: RunState): unknown {
  const { input, signal, deadline, log, config, host, capability } = call;
  const progress = (value: unknown) => {
    if (run.over) return;
    const size = jsonSizeBound(value);
    if (size < 0 || (size > progressLimit && JSON.stringify(value).length > progressLimit)) {
      const message = `'${capability}' reported progress that is not JSON of at most ${progressLimit} bytes`;
      throw pluginError('progress_invalid', message);
    }
    call.progress(value);
  };
  try {
    return handler(Object.freeze({ input, signal, deadline, progress, log, config, host }));
  } catch (thrown) {
    throw failure(call, thrown);
  }
}

function failure(call: RunCall, thrown: unknown): AppError {
  return call.signal.aborted ? cancelled(call) : handlerError(call.capability, thrown);
}

function checkOutput(capability: string, output: unknown): unknown {
  if (jsonSizeBound(output) >= 0) return output;
  const field = findNonJson(output) ?? '';
  throw pluginError(
    'output_not_json',
    `'${capability}' returned something that is not JSON${field && ` at ${field}`}`,
    {
      hint: 'Return plain objects, arrays, strings, finite numbers, booleans and null',
      fields: [{ field, message: 'is not JSON' }],
    },
  );
}

function cancelled(call: RunCall): AppError {
  const { reason } = call.signal;
  const why = reason instanceof Error ? reason.message : String(reason);
  return pluginError('cancelled', `'${call.capability}' was stopped: ${why}`, { cause: reason });
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

function isDefinition(value: unknown): value is PluginDefinition {
  return Array.isArray((value as { readonly capabilities?: unknown } | null | undefined)?.capabilities);
}
