import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { until } from './until.js';

export interface ReportingProcessOptions {
  /** The built program and its arguments, one of which makes it print its events as JSON. */
  readonly program: readonly string[];
  /** Where what it prints goes. */
  readonly output: string;
  /** For `node`, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

interface Report {
  readonly event?: string;
  readonly [field: string]: unknown;
}

/** A program of ours as a process of its own. What it prints goes to a file, so that it costs the reader nothing. */
export class ReportingProcess {
  readonly #child;
  readonly #output: string;
  readonly #gone: Promise<void>;
  #exit: string | undefined;

  constructor({ program, output, nodeOptions = [] }: ReportingProcessOptions) {
    this.#output = output;
    const file = openSync(output, 'a');
    this.#child = spawn(process.execPath, [...nodeOptions, ...program], { stdio: ['ignore', file, file] });
    closeSync(file);
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
    return until(`'${event}' of ${this.#output}`, 20_000, async () => {
      const text = await readFile(this.#output, 'utf8');
      const found = text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Report)
        .find((report) => report.event === event);
      if (!found && this.#exit !== undefined) throw new Error(`The process ended (${this.#exit}):\n${text}`);
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
