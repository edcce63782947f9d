import type { Process } from './otp-model.js';
import { type ModelEnding, type ModelWorld, type Timer, textOf } from './otp-world.js';
import type { BadStart, LeafSpec } from './tree-spec.js';

/** Who hears of a process's end. */
export interface Parent {
  readonly id: string;
  onEnd(process: Process, ending: ModelEnding): void;
}

/** What a process calls itself in causes and traces: its id, and which incarnation it is. */
export const nameOf = (id: string, start: number): string => (start === 0 ? id : `${id}#${start}`);

/** One incarnation of a leaf. */
export class LeafProcess {
  readonly name: string;
  ended: ModelEnding | undefined;
  readonly #world: ModelWorld;
  readonly #parent: Parent;
  readonly #spec: LeafSpec;
  #farewell: Timer | undefined;
  #asked = false;

  constructor(world: ModelWorld, parent: Parent, spec: LeafSpec, start: number) {
    this.#world = world;
    this.#parent = parent;
    this.#spec = spec;
    this.name = nameOf(spec.id, start);
  }

  start(bad: BadStart | undefined): void {
    // One that ends before it was up leaves no trace of its own.
    if (bad === 'throws') this.end({ kind: 'crashed', why: `boom ${this.name}` }, 'silently');
    if (bad === 'finishes') this.end({ kind: 'done' }, 'silently');
  }

  crash(): void {
    this.end({ kind: 'crashed', why: `boom ${this.name}` });
  }

  shutdown(): void {
    const { does, afterMs } = this.#spec.farewell;
    if (this.ended || this.#asked || does === 'nothing') return;
    this.#asked = true;
    const leave = (): void => (does === 'ends' ? this.end({ kind: 'done' }) : this.crash());
    if (afterMs === 0) leave();
    else this.#farewell = this.#world.after(afterMs, leave);
  }

  stop(): void {
    this.end({ kind: 'stopped' });
  }

  end(ending: ModelEnding, how: 'noted' | 'silently' = 'noted'): void {
    if (this.ended) return;
    this.ended = ending;
    this.#world.cancel(this.#farewell);
    if (how === 'noted') this.#world.note(this.#parent.id, `-${this.name} ${textOf(ending)}`);
    this.#parent.onEnd(this, ending);
  }
}
