import type { AppError } from '../../kernel/errors.js';
import { pluginError } from '../../plugins/plugin-errors.js';
import { errorOf } from '../../plugins/process/failure.js';
import { processProtocol } from '../../plugins/process/frames.js';
import type { PluginProcessEvent } from './events.js';
import type { Heard, ProcessLink } from './link.js';
import type { OpenRun } from './open-run.js';
import type { ProcessParts, ProcessSpec } from './process-parts.js';

export interface ProcessLineOptions {
  readonly spec: ProcessSpec;
  readonly parts: ProcessParts;
  /** The number of the process. */
  readonly run: number;
  tell(event: PluginProcessEvent): void;
  /** Nothing is left of it. */
  gone(): void;
}

/** Why a child may refuse to load, in its own words. */
const refusals: ReadonlySet<string> = new Set(['load_failed', 'build_changed', 'process_protocol']);

/** The conversation with one process of a plugin, and the runs that are under way in it. */
export class ProcessLine {
  readonly runs = new Map<number, OpenRun>();
  /** Questions whether it answers, since the last answer. */
  unanswered = 0;
  readonly #options: ProcessLineOptions;
  readonly #link: ProcessLink;
  #config: unknown;

  /** Starts the process. */
  constructor(options: ProcessLineOptions) {
    this.#options = options;
    const { spec, parts, run, tell } = options;
    this.#link = parts.launch(spec, {
      frame: (frame) => this.#take(frame),
      printed: (stream, line) => this.#log(stream === 'stderr' ? 'warn' : 'info', line, { stream }),
      dropped: (logs, progress) =>
        this.#log('warn', 'Left out what there was too much of', { logs, progress }),
      broken: (why) => this.#condemn(`it broke the protocol: ${why}`),
      exited: (how) => tell({ type: 'exited', run, error: processEnded(spec.plugin, `ended: ${how}`) }),
      gone: () => this.#bury(),
    });
    const { tree } = this.#link;
    if (tree !== undefined) parts.journal(spec.plugin, tree, () => tell({ type: 'journaled', run }));
  }

  get backlog(): number {
    return this.#link.backlog;
  }

  residentBytes(): number {
    return this.#link.residentBytes();
  }

  /** Says the first word: what to load. */
  greet(): void {
    const { spec, parts } = this.#options;
    const { plugin, entry, build, capabilities } = spec;
    const { maxOutputBytes } = parts.limits;
    const protocol = processProtocol;
    this.#link.send({ type: 'hello', protocol, plugin, entry, build, capabilities, maxOutputBytes });
  }

  send(run: OpenRun): void {
    const { id, call } = run;
    const { capability, input, deadline, config } = call;
    this.runs.set(id, run);
    if (config !== this.#config) {
      this.#config = config;
      this.#link.send({ type: 'config', value: config });
    }
    this.#link.send({ type: 'run', id, capability, input, deadline });
  }

  cancel({ id, call }: OpenRun): void {
    const { reason }: { readonly reason?: unknown } = call.signal;
    this.#link.send({
      type: 'cancel',
      id,
      reason: reason instanceof Error ? reason.message : String(reason),
    });
  }

  ping(): void {
    this.unanswered++;
    this.#link.send({ type: 'ping' });
  }

  end(how: 'asked' | 'killed'): void {
    this.#link.end(how);
  }

  /** Has the process ended, for the reason given. */
  condemn(error: AppError): void {
    this.#options.tell({ type: 'condemned', run: this.#options.run, error });
  }

  /** A run ends here before it ends there only with the process. */
  #run(id: number): OpenRun | undefined {
    const run = this.runs.get(id);
    if (run === undefined) this.#condemn('it broke the protocol: it ended a run that is not under way');
    return run;
  }

  #take(frame: Heard): void {
    const { tell, run } = this.#options;
    switch (frame.type) {
      case 'ready':
        this.#ready(frame);
        break;
      case 'refused': {
        const { failure } = frame;
        const error = errorOf(refusals.has(failure.code) ? failure : { ...failure, code: 'load_failed' });
        tell({ type: 'refused', run, error });
        break;
      }
      case 'done':
        this.#run(frame.id)?.done(frame.output);
        break;
      case 'failed':
        this.#run(frame.id)?.failed(frame.failure);
        break;
      case 'progress':
        this.runs.get(frame.id)?.progressed(frame.sequence, frame.value);
        break;
      case 'log': {
        const { id, level, message, fields } = frame;
        const log = this.runs.get(id)?.call.log;
        if (log === undefined) this.#log(level, message, { fields });
        else log[level](message, fields);
        break;
      }
      case 'open': {
        const { id, request, url } = frame;
        const answer = (error: string | undefined): void =>
          this.#link.send({ type: 'answer', id, request, ...(error === undefined ? {} : { error }) });
        void this.runs.get(id)?.openUrl(url, answer);
        break;
      }
      case 'pong':
        this.unanswered = 0;
        break;
    }
  }

  #ready({ protocol, plugin, build }: Extract<Heard, { readonly type: 'ready' }>): void {
    const { spec, tell, run } = this.#options;
    if (protocol === processProtocol && plugin === spec.plugin && build === spec.build) {
      tell({ type: 'loaded', run });
      return;
    }
    const message = `The process of plugin '${spec.plugin}' answered as '${plugin.slice(0, 64)}' with protocol ${protocol} and build ${build.slice(0, 12)}; expected protocol ${processProtocol} and build ${spec.build.slice(0, 12)}`;
    const hint = 'Start the node host again: its package may have been replaced';
    tell({ type: 'refused', run, error: pluginError('process_protocol', message, { hint }) });
  }

  #condemn(why: string): void {
    this.condemn(processEnded(this.#options.spec.plugin, `was ended: ${why}`));
  }

  #bury(): void {
    const { parts, gone } = this.#options;
    if (this.#link.tree !== undefined) parts.forget(this.#link.tree);
    gone();
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string, about: object): void {
    this.#options.parts.log[level]({ plugin: this.#options.spec.plugin, ...about }, message);
  }
}

/** @param what what happened to it, in words */
export function processEnded(plugin: string, what: string): AppError {
  return pluginError('process_ended', `The process of plugin '${plugin}' ${what}`);
}
