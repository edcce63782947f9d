import type { DaemonFrame, NodeFrame } from './frames.js';

type Frame = DaemonFrame | NodeFrame;

/** Writes one frame; `written` is called when the transport took it (or lost it: the stream's end tells). */
export type WriteFrame<F extends Frame> = (frame: F, written: () => void) => void;

/**
 * Gathers what is to be said into frames. The first item goes out at once; what comes while a write is under way waits
 * for it and shares the next message. So one dispatch alone is never delayed, and many share a message.
 *
 * List fields are concatenated in order; every other field is set (the last one wins).
 */
export class FrameBatch<F extends Frame> {
  readonly #write: WriteFrame<F>;
  readonly #now: () => number;
  #gathered: Record<string, unknown> | undefined;
  #writing = false;
  #closed = false;
  #whenIdle: (() => void) | undefined;

  constructor(write: WriteFrame<F>, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  /** Appends to a list field of the next frame. */
  push<K extends ListField<F>>(field: K, item: Item<F, K>): void {
    if (this.#closed) return;
    const frame = this.#next();
    const list = frame[field] as unknown[] | undefined;
    if (list) list.push(item);
    else frame[field] = [item];
    if (!this.#writing) this.#flush();
  }

  /** Sets a single field of the next frame. */
  set<K extends keyof F & string>(field: K, value: NonNullable<F[K]>): void {
    if (this.#closed) return;
    this.#next()[field] = value;
    if (!this.#writing) this.#flush();
  }

  /** Takes nothing more. `idle` is called once everything that was pushed is written. */
  close(idle: () => void): void {
    this.#closed = true;
    if (!this.#writing && !this.#gathered) idle();
    else this.#whenIdle = idle;
  }

  #next(): Record<string, unknown> {
    this.#gathered ??= {};
    return this.#gathered;
  }

  #flush(): void {
    const frame = this.#gathered;
    if (!frame) {
      const idle = this.#whenIdle;
      this.#whenIdle = undefined;
      idle?.();
      return;
    }
    this.#gathered = undefined;
    this.#writing = true;
    frame.sentAtMs = this.#now();
    this.#write(frame as F, this.#written);
  }

  readonly #written = (): void => {
    this.#writing = false;
    this.#flush();
  };
}

type ListField<F> = {
  [K in keyof F & string]-?: NonNullable<F[K]> extends readonly unknown[] ? K : never;
}[keyof F & string];
type Item<F, K extends keyof F> = NonNullable<F[K]> extends readonly (infer T)[] ? T : never;
