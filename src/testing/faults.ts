import type { DaemonFrame, NodeFrame } from '../actors/link/frames.js';

/**
 * What a frame can carry, by which a fault picks the frames that it is about. From the node: `started`, `progress`, `results`…; from
 * the daemon: `welcome`, `dispatches`, `cancels`, `settled` (results that it has on disk)…
 */
export type FramePart = Exclude<keyof NodeFrame | keyof DaemonFrame, 'sentAtMs'>;

/** What happens to a frame in place of its delivery. */
export type Fate =
  | { readonly kind: 'deliver'; readonly copies: number }
  /** By the clock of the kit, milliseconds; what comes behind it waits too. */
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'disconnect' };

interface Armed {
  readonly part: FramePart;
  readonly fate: Fate;
  left: number;
}

/**
 * Faults of the line between daemon and node. Each is armed for the next frames that carry what it names, and happens once unless
 * told otherwise. A frame holds everything that was ready in one turn, and shares its fate.
 *
 * @example
 * kit.faults.disconnect('results'); // the handler has run; its result does not arrive
 * const call = await kit.start('greet', { name: 'Ada' });
 * await kit.until(() => kit.faults.armed === 0);
 * await kit.online();
 * await call.ended(); // and yet it is there
 */
export class Faults {
  readonly #armed: Armed[] = [];

  /** Loses them. */
  drop(part: FramePart, times = 1): void {
    this.#arm(part, { kind: 'deliver', copies: 0 }, times);
  }

  /** Delivers them twice. */
  duplicate(part: FramePart, times = 1): void {
    this.#arm(part, { kind: 'deliver', copies: 2 }, times);
  }

  /** Holds them up, and everything behind them in that direction. @param ms by the clock of the kit */
  delay(part: FramePart, ms: number, times = 1): void {
    this.#arm(part, { kind: 'delay', ms }, times);
  }

  /** Breaks the line in their place; both sides learn of it. */
  disconnect(part: FramePart, times = 1): void {
    this.#arm(part, { kind: 'disconnect' }, times);
  }

  /** How many faults have yet to happen: 0 says that a test has tested what it meant to. */
  get armed(): number {
    return this.#armed.reduce((sum, { left }) => sum + left, 0);
  }

  /** Takes the fault for a frame, if there is one. */
  take(frame: NodeFrame | DaemonFrame): Fate | undefined {
    const index = this.#armed.findIndex(({ part }) => carries(frame, part));
    const armed = this.#armed[index];
    if (armed === undefined) return undefined;
    armed.left -= 1;
    if (armed.left === 0) this.#armed.splice(index, 1);
    return armed.fate;
  }

  #arm(part: FramePart, fate: Fate, times: number): void {
    if (times > 0) this.#armed.push({ part, fate, left: times });
  }
}

function carries(frame: NodeFrame | DaemonFrame, part: FramePart): boolean {
  const value: unknown = (frame as Readonly<Record<string, unknown>>)[part];
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}
