import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import type { ProcessHandlers, ProcessLink, ProcessTree } from '../../actors/plugin-process/link.js';
import type { Clock } from '../../kernel/clock.js';
import { type Bucket, type BucketLimit, holds } from '../../kernel/token-buckets.js';
import { parseChildFrame } from '../../plugins/process/child-frame.js';
import { FrameChannel } from '../../plugins/process/frame-channel.js';
import { type FrameKind, frameKinds, type HostFrame } from '../../plugins/process/frames.js';
import { processIdentity } from '../os/process-identity.js';
import { ChatterLimit } from './chatter-limit.js';
import { readLines } from './line-reader.js';
import { endTree, markerVariable, sendSignal } from './process-tree.js';
import { residentMemory } from './resident-memory.js';

export interface PluginChildOptions {
  /** The JavaScript program that is started, and arguments for Node before it. */
  readonly program: string;
  readonly flags: readonly string[];
  /** All that the process sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workFolder: string;
  /** The most memory of its JavaScript heap, MiB. */
  readonly heapMb: number;
  readonly clock: Clock;
}

/** Frames that are no log and no progress. Each counts once, and once more for so many bytes. */
const controlLimit: BucketLimit = { burst: 100_000, perSecond: 50_000 };
const costBytes = 4_096;
/** How long the ends of its pipes are waited for once the process has ended, milliseconds. */
const pipeMs = 1_000;

/**
 * Starts the process of a plugin: in a session and process group of its own, with nothing but the pipe on file descriptor 3
 * and its output open.
 */
export function launchPluginChild(options: PluginChildOptions, handlers: ProcessHandlers): ProcessLink {
  return new PluginChild(options, handlers);
}

/** Stands for a process that could not be started. @param why in words: `its folder can't be made: …` */
export function neverStarted(why: string, handlers: ProcessHandlers): ProcessLink {
  setImmediate(() => handlers.exited(`it could not be started: ${why}`));
  return {
    tree: undefined,
    backlog: 0,
    residentBytes: () => 0,
    send: () => undefined,
    end: () => setImmediate(() => handlers.gone()),
  };
}

class PluginChild implements ProcessLink {
  readonly tree: ProcessTree | undefined;
  readonly residentBytes: () => number;
  readonly #clock: Clock;
  readonly #handlers: ProcessHandlers;
  readonly #child: ChildProcess;
  readonly #pipe: Duplex;
  readonly #channel: FrameChannel;
  readonly #chatter: ChatterLimit;
  readonly #control: Bucket;
  #hasExited = false;
  #isEnding = false;
  #isCleared = false;

  constructor(options: PluginChildOptions, handlers: ProcessHandlers) {
    const { program, flags, environment, workFolder, heapMb, clock } = options;
    this.#clock = clock;
    this.#handlers = handlers;
    const marker = randomBytes(16).toString('hex');
    this.#child = spawn(
      process.execPath,
      [
        ...flags,
        `--max-old-space-size=${heapMb}`,
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=SecurityWarning',
        program,
      ],
      {
        cwd: workFolder,
        env: { ...environment, [markerVariable]: marker },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        detached: true,
      },
    );
    const { pid, stdout, stderr, stdio } = this.#child;
    const startedAt = pid === undefined ? undefined : processIdentity(pid)?.startedAt;
    this.tree = pid === undefined ? undefined : { pid, startedAt: startedAt ?? '', marker };
    this.residentBytes = pid === undefined ? () => 0 : residentMemory(pid);
    this.#chatter = new ChatterLimit(clock, (logs, progress) => handlers.dropped(logs, progress));
    this.#control = { tokens: controlLimit.burst, filledAt: clock.monotonic() };
    this.#child.once('exit', (code, signal) =>
      this.#exited(signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`),
    );
    this.#child.once('error', (error) => {
      if (pid === undefined) this.#exited(`it could not be started: ${error.message}`);
    });
    this.#pipe = stdio[3] as Duplex;
    this.#channel = new FrameChannel(this.#pipe, {
      frame: (kind, text) => this.#take(kind, text),
      // Who closes the pipe and goes on can do nothing more for us.
      end: () => undefined,
      broken: (why) => handlers.broken(why),
    });
    for (const [name, stream] of [
      ['stdout', stdout],
      ['stderr', stderr],
    ] as const) {
      readLines(stream as Readable, clock, (line) => {
        if (this.#chatter.admits('logs', line.length)) handlers.printed(name, line);
      });
    }
  }

  get backlog(): number {
    return this.#channel.backlog;
  }

  send(frame: HostFrame): void {
    this.#channel.send(JSON.stringify(frame));
  }

  end(how: 'asked' | 'killed'): void {
    this.#isEnding = true;
    this.#clearOnce();
    if (this.#hasExited || this.tree === undefined) return;
    // Killed alone: what it has started may end in order, see `endTree`.
    if (how === 'asked') sendSignal(-this.tree.pid, 'SIGTERM');
    else sendSignal(this.tree.pid, 'SIGKILL');
  }

  #take(kind: FrameKind, text: Buffer): void {
    if (kind === frameKinds.control) {
      const cost = 1 + text.length / costBytes;
      if (!holds(this.#control, controlLimit, this.#clock.monotonic(), cost)) {
        this.#handlers.broken('more frames than may come');
        return;
      }
      this.#control.tokens -= cost;
    } else if (!this.#chatter.admits(kind === frameKinds.log ? 'logs' : 'progress', text.length)) {
      return;
    }
    const frame = parseChildFrame(kind, text);
    if (frame === undefined) this.#handlers.broken(`a frame that says nothing: ${text.length} bytes`);
    else if (frame.type === 'dropped') this.#chatter.note(frame.logs, frame.progress);
    else this.#handlers.frame(frame);
  }

  #exited(how: string): void {
    this.#hasExited = true;
    this.#handlers.exited(how);
    this.#clearOnce();
  }

  /** Once it has ended and is known to have. */
  #clearOnce(): void {
    if (!this.#hasExited || !this.#isEnding || this.#isCleared) return;
    this.#isCleared = true;
    void this.#clear();
  }

  /** Ends what is left of it, hears what is left in its pipes, and says that it is gone. */
  async #clear(): Promise<void> {
    if (this.tree !== undefined) await endTree(this.tree, true, { clock: this.#clock });
    const { stdout, stderr } = this.#child;
    const pipes = [this.#pipe, stdout, stderr].filter((pipe) => pipe !== null);
    await Promise.all(pipes.map((pipe) => this.#closed(pipe)));
    for (const pipe of pipes) pipe.destroy();
    this.#chatter.flush();
    this.#handlers.gone();
  }

  /** A pipe ends with the last process that holds it. One that got away may hold it for ever. */
  #closed(pipe: Readable): Promise<void> {
    if (this.tree === undefined || pipe.closed || pipe.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, pipeMs);
      pipe.once('close', () => {
        this.#clock.clearTimeout(timer);
        resolve();
      });
      pipe.resume();
    });
  }
}
