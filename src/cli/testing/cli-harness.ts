import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authenticator, createOrReadTokenFile } from '../../adapters/http/operator-token.js';
import type { FakeControl } from '../../adapters/http/testing/fake-control.js';
import { sampleTime } from '../../adapters/http/testing/samples.js';
import { startTestServer } from '../../adapters/http/testing/test-server.js';
import type { CliContext } from '../context.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { runCli } from '../run-cli.js';

/** What a run of `palyra` gave. */
export interface CliRun {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** Questions that were asked. */
  readonly asked: readonly string[];
}

export interface CliRunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Makes stdout a terminal of that width, with a person who gives that answer to all questions. */
  readonly terminal?: { readonly columns: number; readonly answer: boolean; readonly typed?: string };
  /** Gets a function that does what Ctrl-C does. */
  onStart?(interrupt: () => void): void;
}

/** `palyra` as a function, beside a state directory as palyrad leaves it and a server that answers from canned operations. */
export interface CliHarness {
  readonly control: FakeControl;
  readonly url: string;
  readonly stateDirectory: string;
  run(argv: readonly string[], options?: CliRunOptions): Promise<CliRun>;
  close(): Promise<void>;
}

export async function openCliHarness(): Promise<CliHarness> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'palyra-cli-'));
  const authenticate = authenticator(await createOrReadTokenFile(join(stateDirectory, 'operator.token')));
  const { control, url, server } = await startTestServer({ authenticate });
  await writeFile(join(stateDirectory, 'control.url'), `${url}\n`);
  return {
    control,
    url,
    stateDirectory,
    run: (argv, options = {}) =>
      run(argv, { ...options, env: { PALYRA_STATE_DIR: stateDirectory, ...options.env } }),
    async close() {
      await server.close(0);
      await rm(stateDirectory, { recursive: true });
    },
  };
}

async function run(argv: readonly string[], options: CliRunOptions): Promise<CliRun> {
  const { terminal, env = {}, stdin = '' } = options;
  const listeners = new Set<() => void>();
  const asked: string[] = [];
  let stdout = '';
  let stderr = '';
  let now = sampleTime + 12_000;
  const screen = terminal === undefined ? {} : { isTTY: true, columns: terminal.columns };
  const context: CliContext = {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: {
      ...screen,
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      ...screen,
      write: (text) => {
        stderr += text;
      },
    },
    env,
    clock: {
      now: () => now,
      monotonic: () => now,
      // Waiting moves the clock and takes no time.
      setTimeout: (callback, ms) => {
        now += ms;
        return setImmediate(callback);
      },
      clearTimeout: (handle) => clearImmediate(handle as NodeJS.Immediate),
    },
    exitCode: exitCodes.ok,
    interactive: terminal !== undefined,
    async ask(question, { problem }) {
      asked.push(question);
      const typed = terminal?.typed;
      return typed === undefined || problem(typed) !== undefined ? undefined : typed;
    },
    async confirm(question) {
      asked.push(question);
      return terminal?.answer === true;
    },
    async choose(question, choices) {
      asked.push(question);
      return choices.at(terminal?.answer === true ? 1 : 0)?.value;
    },
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  options.onStart?.(() => {
    for (const listener of listeners) listener();
  });
  const code = await runCli(argv, context);
  return { code, stdout, stderr, asked };
}
