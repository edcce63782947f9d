import type { Chance } from './chance.js';
import { delay } from './delay.js';
import type { Machines, Side } from './machines.js';

/** How often each of them comes, of the two in three faults that kill and the third that does not. */
const kills = { 'kill the daemon': 4, 'kill the node': 4, 'kill both': 1 };
const cuts = {
  reset: 3,
  'swallow up': 1,
  'swallow down': 1,
  'swallow both': 1,
  slow: 2,
  'renew the certificate': 2,
};
export type Fault = keyof typeof kills | keyof typeof cuts;

/** How slow a slow disk is, milliseconds for each group of commits at most. */
const slowDiskMs = 60;

export interface FaultsOptions {
  readonly chance: Chance;
  readonly machines: Machines;
  /** The longest time between two faults that a machine which keeps up gets, milliseconds. */
  readonly quietMs: number;
  /** Resolves when the next fault may come; false: there is none. */
  readonly turn: () => Promise<boolean>;
}

/** One fault after the other, at random moments. */
export class Faults {
  /** How often each has come. */
  readonly count = new Map<Fault, number>();
  /** How many of them were of the line. */
  cuts = 0;
  slowDisks = 0;
  readonly #options: FaultsOptions;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Resolves when there are no more of them; all that was killed runs again then, and the line is whole. */
  async run(): Promise<void> {
    const { chance, turn, quietMs } = this.#options;
    for (let round = 0; await turn(); round++) {
      await delay(chance.between(0, quietMs));
      const isCut = round % 3 === 1;
      if (isCut) this.cuts += 1;
      const fault: Fault = isCut ? chance.pick(cuts) : chance.pick(kills);
      this.count.set(fault, (this.count.get(fault) ?? 0) + 1);
      await this.#do(fault);
    }
  }

  async #do(fault: Fault): Promise<void> {
    const { chance, machines } = this.#options;
    const { line } = machines;
    switch (fault) {
      case 'kill the daemon':
        return this.#kill('daemon');
      case 'kill the node':
        return this.#kill('node');
      case 'kill both':
        await Promise.all([this.#kill('daemon'), this.#kill('node')]);
        return;
      case 'reset':
        return line.reset();
      case 'swallow up':
        return line.swallow('up');
      case 'swallow down':
        return line.swallow('down');
      case 'swallow both':
        return line.swallow('up', 'down');
      case 'slow':
        line.latencyMs = chance.between(5, 150);
        await delay(chance.between(200, 2_000));
        line.latencyMs = 0;
        return;
      case 'renew the certificate':
        return machines.renewCertificate();
    }
  }

  /** Kills it and starts it again; sometimes it is killed once more while it starts. */
  async #kill(side: Side): Promise<void> {
    const { chance, machines } = this.#options;
    await machines.kill(side);
    await delay(chance.between(0, 600));
    const isSlow = chance.happens(0.4);
    if (isSlow) this.slowDisks += 1;
    machines.restart(side, isSlow ? slowDiskMs : 0);
    if (!chance.happens(0.12)) return;
    await delay(chance.between(50, 900));
    await this.#kill(side);
  }
}
