import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The questions that a role answers: what goes in and what comes back, both plain JSON. */
export type Asks = { readonly [kind: string]: (body: never) => unknown };
type Body<F> = F extends (body: infer B) => unknown ? B : never;
type Reply<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

interface Question {
  readonly id: number;
  readonly kind: string;
  readonly body: unknown;
}
type Answer =
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly error: string };

export interface RoleOptions {
  /** The program, built. */
  readonly script: string;
  /** Where its stderr goes; quoted when it dies. */
  readonly logFile: string;
  /** For `node`, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

/**
 * One process of a benchmark, as its parent sees it. It ends when the parent does.
 *
 * @example
 * const role = new Role<FloorDaemonAsks>({ script: 'floor-daemon.mjs', logFile });
 * const { port } = await role.ask('listen', undefined);
 * await role.stop();
 */
export class Role<A> {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #open = new Map<number, { resolve(reply: unknown): void; reject(error: Error): void }>();
  readonly #gone: Promise<void>;
  #lastId = 0;

  constructor({ script, logFile, nodeOptions = [] }: RoleOptions) {
    this.#logFile = logFile;
    const log = openSync(logFile, 'a');
    this.#child = fork(script, [], { execArgv: [...nodeOptions], stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    this.#child.on('message', (message) => this.#answered(message as Answer));
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        void this.#died(code, signal).then(resolve);
      });
    });
  }

  /** Asks the process. @throws Error with what it answered, or with the end of its log when it dies. */
  ask<K extends keyof A & string>(kind: K, body: Body<A[K]>): Promise<Reply<A[K]>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve: resolve as (reply: unknown) => void, reject });
      this.#child.send({ id, kind, body } satisfies Question, (error) => {
        if (error) reject(error);
      });
    });
  }

  /** Lets it end by itself: closes the channel, then waits; SIGKILL after 10 s. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#gone;
    clearTimeout(timer);
  }

  #answered(answer: Answer): void {
    const asked = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if ('error' in answer) asked?.reject(new Error(answer.error));
    else asked?.resolve(answer.reply);
  }

  async #died(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (this.#open.size === 0) return;
    const log = await readFile(this.#logFile, 'utf8').catch(() => '');
    const error = new Error(`A process of the benchmark ended (${signal ?? code}):\n${log.slice(-4000)}`);
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}

/**
 * The process's side: answers each question, and when the parent closes the channel or dies, runs `stop` and exits.
 *
 * @example serveRole<FloorDaemonAsks>({ listen: async () => ({ port }) }, async () => server.forceShutdown());
 */
export function serveRole<A extends Asks>(handlers: A, stop: () => Promise<void>): void {
  process.on('message', (message) => {
    const { id, kind, body } = message as Question;
    const say = (answer: Answer): void => {
      if (process.connected) process.send?.(answer);
    };
    const handler = handlers[kind];
    Promise.resolve()
      .then(() => {
        if (!handler) throw new Error(`Nobody answers '${kind}'`);
        return handler(body as never);
      })
      .then(
        (reply) => say({ id, reply }),
        (thrown: unknown) => say({ id, error: describe(thrown) }),
      );
  });
  process.once('disconnect', () => {
    stop().then(
      () => process.exit(0),
      (thrown: unknown) => {
        console.error(thrown);
        process.exit(1);
      },
    );
  });
  // A signal for the whole group is for the parent; it closes the channel.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
