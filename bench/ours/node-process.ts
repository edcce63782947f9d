import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../until.js';

export interface NodeProcessOptions {
  /** The built CLI. */
  readonly palyra: string;
  readonly directory: string;
  readonly joinString: string;
  readonly nodeOptions: readonly string[];
}

interface Report {
  readonly event: string;
  readonly pairingId?: string;
}

/** A real node host, `palyra node run`, as a process of its own. What it prints goes to a file, so that it costs the reader nothing. */
export class NodeProcess {
  readonly #child;
  readonly #output: string;
  readonly #gone: Promise<void>;
  #exit: string | undefined;

  constructor({ palyra, directory, joinString, nodeOptions }: NodeProcessOptions) {
    this.#output = join(directory, 'node.ndjson');
    const output = openSync(this.#output, 'a');
    const args = [palyra, 'node', 'run', joinString, '--json', '--state-dir', join(directory, 'node')];
    this.#child = spawn(process.execPath, [...nodeOptions, ...args], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#exit = String(signal ?? code);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Waits until it reports an event. @throws Error with what it printed when it ends or takes longer than 20 s. */
  async reported(event: string): Promise<Report> {
    return until(`'${event}' of the node host`, 20_000, async () => {
      const text = await readFile(this.#output, 'utf8');
      const found = text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Report)
        .find((report) => report.event === event);
      if (!found && this.#exit !== undefined)
        throw new Error(`The node host ended (${this.#exit}):\n${text}`);
      return found;
    });
  }

  /** Ends it and waits until it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), 8_000);
    await this.#gone;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
