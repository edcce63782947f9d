import { delay } from './delay.js';

export interface PaceOptions {
  readonly requests: number;
  readonly kills: number;
  /** How many kills there were. */
  readonly killed: () => number;
  readonly signal: AbortSignal;
}

/** Keeps load and faults abreast, so that the kills fall among all of the requests, however fast the machine is. */
export class Pace {
  readonly #options: PaceOptions;
  #begun = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** How many requests have begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Waits until the next request may begin; false when there is none. */
  async request(): Promise<boolean> {
    const { requests } = this.#options;
    await this.#until(() => this.#begun >= requests || this.#begun / requests <= this.#killed + this.#step);
    if (this.#begun >= requests || this.#options.signal.aborted) return false;
    this.#begun += 1;
    return true;
  }

  /** Waits until the next fault may come; false when there is none. */
  async fault(): Promise<boolean> {
    await this.#until(() => this.#killed >= 1 || this.#begun / this.#options.requests >= this.#killed);
    return this.#killed < 1 && !this.#options.signal.aborted;
  }

  /** What part of the kills has been. */
  get #killed(): number {
    return this.#options.killed() / this.#options.kills;
  }

  get #step(): number {
    return 1 / this.#options.kills;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#options.signal.aborted) await delay(20);
  }
}
