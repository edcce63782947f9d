import { assign, setup } from 'xstate';
import type { Backoff } from '../../kernel/backoff.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { AppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import type { RestartIntensity } from '../../kernel/restart-intensity.js';
import { pluginError } from '../../plugins/plugin-errors.js';
import { loadTimeout } from '../../plugins/runner.js';
import type { PluginProcessEvent } from './events.js';

/** What a plugin's process may take. Times are milliseconds. */
export interface ProcessLimits {
  /** From its start until its code is loaded. */
  readonly loadMs: number;
  /** How long it may take to end when it is asked to. */
  readonly endMs: number;
  /** How often its memory is looked at. */
  readonly sampleMs: number;
  /** Every so many samples it is asked whether it still answers. */
  readonly samplesPerPing: number;
  /** So many questions without an answer, and it counts as hung. */
  readonly missedPings: number;
  readonly residentBytes: number;
}

/** What the machine asks of the runner, which holds the runs, and of the operating system. */
export interface PluginProcessPorts {
  readonly plugin: string;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** How often it may fail, and within which time, before it is disabled. */
  readonly failures: RestartIntensity;
  readonly limits: ProcessLimits;
  /** Starts process number `run`; everything else comes as events. */
  launch(run: number): void;
  /** Says the first word. */
  greet(): void;
  /** Lets the runs that wait go to the process. */
  open(): void;
  /** Sends it no more runs. */
  close(): void;
  /** Asks whether it answers. */
  ping(): void;
  /** Questions since the last answer. */
  unanswered(): number;
  residentBytes(): number;
  end(how: 'asked' | 'killed'): void;
  /** Nothing of the process is left: what it ran has ended, because of `error`; a process that never loaded fails its waiting runs. */
  buried(error: AppError, wasLoaded: boolean): void;
  /** Whether a run, or whoever starts the plugin, waits for a process. */
  isWanted(): boolean;
  /** Whether runs are under way in the process. */
  isBusy(): boolean;
  /** It is not started again. */
  disabled(error: AppError): void;
  stopped(): void;
}

export interface PluginProcessContext {
  readonly ports: PluginProcessPorts;
  /** The number of the process that counts. */
  readonly run: number;
  readonly samples: number;
  /** When its code was loaded, monotonic; undefined before. */
  readonly loadedAt: number | undefined;
  /** Why it is ended. */
  readonly error: AppError | undefined;
  readonly isStopping: boolean;
  readonly failedTooOften: boolean;
  /** When draining ends at the latest, monotonic. */
  readonly drainUntil: number;
}

/** A process that has run for so long ends the row of failures before it: the next wait is short again. */
const soundAfterMs = 30_000;

type Self = object & { send(event: PluginProcessEvent): void };

function arm({ ports }: PluginProcessContext, self: Self, ms: number, label: string): void {
  ports.deadlines.release(self);
  ports.deadlines.sendAfter(self, ms, { type: 'deadline' }, { label });
}

function stopping({ ports }: PluginProcessContext): AppError {
  return pluginError('stopped', `Plugin '${ports.plugin}' was stopped under the run`);
}

const mebibyte = 1024 * 1024;

/** Guards and actions of a plugin's process, by name. The chart that uses them is in `machine.ts`. */
export const pluginProcessSetup = setup({
  types: {
    context: {} as PluginProcessContext,
    events: {} as PluginProcessEvent,
    input: {} as { ports: PluginProcessPorts },
    meta: {} as MachineMeta,
  },
  guards: {
    'is of this process': ({ context, event }) => 'run' in event && event.run === context.run,
    'has nothing under way': ({ context }) => !context.ports.isBusy(),
    'is to stop': ({ context, event }) => 'run' in event && event.run === context.run && context.isStopping,
    'has failed too often': ({ context, event }) =>
      'run' in event && event.run === context.run && context.failedTooOften,
    'is wanted': ({ context }) => context.ports.isWanted(),
    'takes too much memory': ({ context }) =>
      context.ports.residentBytes() > context.ports.limits.residentBytes,
    'is hung': ({ context }) => context.ports.unanswered() >= context.ports.limits.missedPings,
    'has drained long enough': ({ context }) => context.ports.clock.monotonic() >= context.drainUntil,
  },
  actions: {
    launch: assign(({ context, self }) => {
      const run = context.run + 1;
      arm(context, self, context.ports.limits.loadMs, 'load');
      context.ports.launch(run);
      return { run, loadedAt: undefined, error: undefined, failedTooOften: false, samples: 0 };
    }),
    greet: ({ context }) => context.ports.greet(),
    'open for runs': assign(({ context }) => {
      context.ports.open();
      return { loadedAt: context.ports.clock.monotonic() };
    }),
    'close for runs': ({ context }) => context.ports.close(),
    'look at it': assign(({ context, self }) => {
      const { ports, samples, drainUntil } = context;
      if (samples % ports.limits.samplesPerPing === 0) ports.ping();
      const left = drainUntil - ports.clock.monotonic();
      arm(context, self, Math.min(ports.limits.sampleMs, left), 'look at it');
      return { samples: samples + 1 };
    }),
    'note the reason': assign(({ context, event }) => {
      if (event.type === 'exited' || event.type === 'refused' || event.type === 'condemned')
        return { error: event.error };
      return { error: loadTimeout(context.ports.plugin, context.ports.limits.loadMs) };
    }),
    'note the memory': assign(({ context }) => {
      const { plugin, limits } = context.ports;
      const used = Math.round(context.ports.residentBytes() / mebibyte);
      const limit = Math.round(limits.residentBytes / mebibyte);
      const message = `The process of plugin '${plugin}' was ended: it took ${used} MiB of memory, and may take ${limit}`;
      return { error: pluginError('process_ended', message) };
    }),
    'note that it hung': assign(({ context }) => {
      const { plugin, limits } = context.ports;
      const ms = limits.missedPings * limits.samplesPerPing * limits.sampleMs;
      const message = `The process of plugin '${plugin}' was ended: it did not give its event loop back for ${ms} ms`;
      const hint = 'A handler must not compute for that long in one turn';
      return { error: pluginError('process_ended', message, { hint }) };
    }),
    'count the failure': assign(({ context }) => {
      const { ports, loadedAt } = context;
      const now = ports.clock.monotonic();
      if (loadedAt !== undefined && now - loadedAt >= soundAfterMs) ports.backoff.reset();
      return { failedTooOften: !ports.failures.allows(now) };
    }),
    'is to stop': assign({ isStopping: true }),
    'note when to give up': assign(({ context, event }) => {
      const graceMs = event.type === 'drain' ? event.graceMs : context.ports.limits.endMs;
      return { drainUntil: context.ports.clock.monotonic() + graceMs };
    }),
    'ask it to end': ({ context, self }) => {
      arm(context, self, context.ports.limits.endMs, 'end');
      context.ports.end('asked');
    },
    kill: ({ context, self }) => {
      context.ports.deadlines.release(self);
      context.ports.end('killed');
    },
    bury: ({ context }) =>
      context.ports.buried(context.error ?? stopping(context), context.loadedAt !== undefined),
    'wait before the next start': ({ context, self }) =>
      arm(context, self, context.ports.backoff.next(), 'start again'),
    'refuse runs': ({ context }) => {
      const { ports, error } = context;
      const message = `Plugin '${ports.plugin}' is disabled: it failed ${ports.failures.restarts + 1} times in ${ports.failures.withinMs / 60_000} minutes`;
      const hint = 'Mend the plugin, then reload it';
      ports.disabled(
        pluginError('disabled', `${message}, last because: ${error?.message ?? 'nobody knows'}`, {
          hint,
          cause: error,
        }),
      );
    },
    disarm: ({ context, self }) => context.ports.deadlines.release(self),
    'say that it stopped': ({ context, self }) => {
      context.ports.deadlines.release(self);
      context.ports.stopped();
    },
  },
});
