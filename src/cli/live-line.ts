import type { CliOutput } from './context.js';

/** The last line of a terminal, rewritten in place; nothing where there is no terminal. */
export class LiveLine {
  readonly #output: CliOutput;
  #isShown = false;

  constructor(output: CliOutput) {
    this.#output = output;
  }

  show(text: string): void {
    if (this.#output.isTTY !== true) return;
    // One column is left free, so that no terminal wraps.
    const fitting = [...text].slice(0, (this.#output.columns ?? 80) - 1).join('');
    this.#output.write(`\r\u001b[2K${fitting}`);
    this.#isShown = true;
  }

  /** Takes the line away, so that something can be printed in its place. */
  clear(): void {
    if (this.#isShown) this.#output.write('\r\u001b[2K');
    this.#isShown = false;
  }
}
