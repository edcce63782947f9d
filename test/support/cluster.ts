import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ControlPlaneClient } from '../../src/client/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const programs = {
  palyra: join(root, 'dist/src/cli/palyra.js'),
  palyrad: join(root, 'dist/src/daemon/palyrad.js'),
} as const;

/** A line of JSON that a program printed. */
export type Message = { readonly event?: string } & Readonly<Record<string, unknown>>;

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Its standard output as JSON. */
  json<T = Message>(): T;
}

/** A real process that prints JSON lines. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<number | null>;
  readonly messages: Message[] = [];
  stderr = '';
  #waiting: (() => void)[] = [];

  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [script, ...args], { env, cwd: tmpdir() });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.messages.push(JSON.parse(line) as Message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code) => {
        resolve(code);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
  }

  /** The first message from index `from` on that fits, as soon as it is there. Rejects when the program ends before. */
  async message(fits: (message: Message) => boolean, from = 0): Promise<Message> {
    for (;;) {
      const found = this.messages.slice(from).find(fits);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(
          `The program ended (${this.child.exitCode ?? this.child.signalCode}) without it: ${JSON.stringify(this.messages.at(-1))}\n${this.stderr}`,
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  event(name: string, from = 0): Promise<Message> {
    return this.message((message) => message.event === name, from);
  }

  /** Writes a line to its standard input. */
  say(message: object): void {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

/** A daemon and its nodes as real processes in a temporary directory. Everything ends with `close`. */
export class Cluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'palyra-test-'));
  /** Variables that programs get which are started from now on. */
  readonly variables: NodeJS.ProcessEnv = {};
  readonly #programs: Program[] = [];
  readonly #terminals: ChildProcessWithoutNullStreams[] = [];
  /** Kept over restarts, so that nodes find the daemon again. */
  #ports: { readonly http: string; readonly enroll: string; readonly node: string } | undefined;
  readonly #env: NodeJS.ProcessEnv;

  /** @param env variables for all its programs, such as `PALYRA_PLUGINS_ENABLED`. */
  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#env = env;
  }

  get env(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return {
      PATH,
      HOME,
      PALYRA_STATE_DIR: join(this.directory, 'daemon'),
      PALYRA_NODE_STATE_DIR: join(this.directory, 'node'),
      XDG_CONFIG_HOME: join(this.directory, 'config'),
      ...this.#env,
      ...this.variables,
    };
  }

  /** Starts the daemon; the second time on the ports of the first. */
  async daemon(): Promise<Program> {
    const program = this.daemonWithoutWaiting();
    const ready = await program.event('ready');
    const port = (address: unknown): string => String(address).split(':').at(-1) ?? '';
    this.#ports = { http: port(ready.http), enroll: port(ready.enrollment), node: port(ready.node) };
    return program;
  }

  /** As {@link daemon}, for one that may never be ready. */
  daemonWithoutWaiting(): Program {
    const ports = this.#ports ?? { http: '0', enroll: '0', node: '0' };
    const args = [
      '--json',
      '--http-port',
      ports.http,
      '--enroll-port',
      ports.enroll,
      '--node-port',
      ports.node,
    ];
    return this.run(programs.palyrad, args);
  }

  /** Starts a node host whose pages are recorded in the file `opened`. Without a join string it must be paired. */
  node(join?: string, extra: readonly string[] = []): Program {
    const args = [
      'node',
      'run',
      ...(join === undefined ? [] : [join]),
      '--json',
      '--record-urls',
      this.openedFile,
      ...extra,
    ];
    return this.run(programs.palyra, args);
  }

  get openedFile(): string {
    return join(this.directory, 'opened');
  }

  /** Starts a command of the operator; its end is the caller's business. */
  command(args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [programs.palyra, ...args], { env: this.env, cwd: tmpdir() });
  }

  /** Runs a command of the operator to its end. */
  async palyra(args: readonly string[], input = ''): Promise<CommandResult> {
    return ended(this.command(args), input);
  }

  /** Mints a join string. */
  async mint(args: readonly string[] = []): Promise<string> {
    const { joinString } = (await this.palyra(['pair', '--json', ...args])).json<{ joinString: string }>();
    return joinString;
  }

  /** Pairs a new node and waits until it is connected. */
  async pairedNode(name = 'worker'): Promise<Program> {
    return this.approve(this.node(await this.mint()), name);
  }

  /** Approves the request of a node that has just been started, and waits until it is connected. */
  async approve(node: Program, name: string): Promise<Program> {
    const { pairingId } = await node.event('pending_approval');
    const approved = await this.palyra([
      'pairings',
      'approve',
      String(pairingId),
      '--yes',
      '--name',
      name,
      '--json',
    ]);
    if (approved.code !== 0) throw new Error(`The approval failed: ${approved.stdout}${approved.stderr}`);
    await node.event('connected');
    return node;
  }

  /** The API of the daemon that runs. */
  client(): ControlPlaneClient {
    const state = join(this.directory, 'daemon');
    const read = (file: string): string => readFileSync(join(state, file), 'utf8').trim();
    return new ControlPlaneClient({ baseUrl: read('control.url'), token: read('operator.token') });
  }

  async close(): Promise<void> {
    for (const { pid } of this.#terminals) if (pid !== undefined) endGroup(pid);
    for (const program of this.#programs) program.child.kill('SIGKILL');
    await Promise.all(this.#programs.map((program) => program.exited));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Starts `palyra` as a program that goes on and prints lines of JSON. */
  start(args: readonly string[]): Program {
    return this.run(programs.palyra, args);
  }

  /** Runs a line as a person would type it, with both programs on the path. @param cwd default: the temporary directory of the system */
  type(line: string, cwd = tmpdir()): Promise<CommandResult> {
    return ended(this.#shell(line, cwd));
  }

  /** Runs a line that goes on, in a terminal of its own; it is ended with the cluster. */
  terminal(line: string, cwd: string): { readonly printed: string } {
    const child = this.#shell(line, cwd);
    const terminal = { printed: '' };
    const show = (chunk: Buffer): void => {
      terminal.printed += chunk.toString();
    };
    child.stdout.on('data', show);
    child.stderr.on('data', show);
    this.#terminals.push(child);
    return terminal;
  }

  #shell(line: string, cwd: string): ChildProcessWithoutNullStreams {
    const bin = join(this.directory, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const [name, program] of Object.entries(programs)) {
      const shim = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
      writeFileSync(join(bin, name), shim, { mode: 0o755 });
    }
    const npm = join(this.directory, 'npm');
    const env = {
      ...this.env,
      PATH: `${bin}:${this.env.PATH}`,
      npm_config_cache: npm,
      npm_config_offline: 'true',
    };
    // In a group of its own, to be ended with all that it has started.
    return spawn('/bin/sh', ['-c', line], { env, cwd, detached: true });
  }

  /** Starts any script as one of its programs. */
  run(script: string, args: readonly string[]): Program {
    const started = new Program(script, args, this.env);
    this.#programs.push(started);
    return started;
  }
}

/** What a command has printed when it has ended. */
async function ended(child: ChildProcessWithoutNullStreams, input = ''): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.end(input);
  const code = await new Promise<number>((resolve) => child.on('close', (exit) => resolve(exit ?? -1)));
  return { code, stdout, stderr, json: <T>() => JSON.parse(stdout) as T };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
