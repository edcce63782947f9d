import type { DaemonFrame, NodeFrame } from './frames.js';

type Frame = DaemonFrame | NodeFrame;

/** Writes one frame; `written` is called when the transport took it (or lost it: the stream's end tells). */
export type WriteFrame<F extends Frame> = (frame: F, written: () => void) => void;

/** A gathered frame and about how many bytes it takes on the wire. */
interface Gathered {
  readonly frame: Record<string, unknown>;
  size: number;
}

/** What one frame may hold, bytes: with one item of the largest size on top it stays below the 4 MiB of a message. */
const frameBytes = 1024 * 1024;
/** What an item takes beside its JSON, bytes. */
const itemBytes = 256;

/**
 * Gathers what is to be said into frames. The first item goes out at once; what comes while a write is under way waits
 * for it and shares the next message. So one dispatch alone is never delayed, and many share a message.
 *
 * List fields are concatenated in order; every other field is set (the last one wins). What is too much for one frame
 * goes on in the next: a message over the transport's limit would end the stream, and the next one in the same way.
 */
export class FrameBatch<F extends Frame> {
  readonly #write: WriteFrame<F>;
  readonly #now: () => number;
  readonly #gathered: Gathered[] = [];
  #backlog = 0;
  #bytes = 0;
  #writing = false;
  #closed = false;
  #whenIdle: (() => void) | undefined;
  #turn: (() => void) | undefined;

  constructor(write: WriteFrame<F>, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  /** Appends to a list field of the next frame. */
  push<K extends ListField<F>>(field: K, item: Item<F, K>): void {
    if (this.#closed) return;
    const size = sizeOf(item);
    const gathered = this.#next(size);
    gathered.size += size;
    this.#bytes += size;
    this.#backlog += 1;
    const list = gathered.frame[field] as unknown[] | undefined;
    if (list) list.push(item);
    else gathered.frame[field] = [item];
    if (!this.#writing) this.#flush();
  }

  /** Sets a single field of the next frame. */
  set<K extends keyof F & string>(field: K, value: NonNullable<F[K]>): void {
    if (this.#closed) return;
    this.#next(0).frame[field] = value;
    if (!this.#writing) this.#flush();
  }

  /** How many items wait for the write before them. It grows without end only when the other side does not read. */
  get backlog(): number {
    return this.#backlog;
  }

  /** About how many bytes wait for the write before them. */
  get waitingBytes(): number {
    return this.#bytes;
  }

  /**
   * Calls back once the write under way is done and before the next one; at once when there is none. For what may wait and must
   * not pile up here. There is one such caller.
   */
  beforeNextWrite(turn: () => void): void {
    if (this.#writing) this.#turn = turn;
    else turn();
  }

  /** Takes nothing more. `idle` is called once everything that was pushed is written. */
  close(idle: () => void): void {
    this.#closed = true;
    if (!this.#writing && this.#gathered.length === 0) idle();
    else this.#whenIdle = idle;
  }

  #next(size: number): Gathered {
    const last = this.#gathered.at(-1);
    if (last && (last.size === 0 || last.size + size <= frameBytes)) return last;
    const next: Gathered = { frame: {}, size: 0 };
    this.#gathered.push(next);
    return next;
  }

  #flush(): void {
    const gathered = this.#gathered.shift();
    if (!gathered) {
      const idle = this.#whenIdle;
      this.#whenIdle = undefined;
      idle?.();
      return;
    }
    const { frame, size } = gathered;
    this.#bytes -= size;
    for (const value of Object.values(frame)) if (Array.isArray(value)) this.#backlog -= value.length;
    this.#writing = true;
    frame.sentAtMs = this.#now();
    this.#write(frame as F, this.#written);
  }

  readonly #written = (): void => {
    const turn = this.#turn;
    this.#turn = undefined;
    // Still counts as writing, so that all that the turn says is gathered into one frame.
    turn?.();
    this.#writing = false;
    this.#flush();
  };
}

/** The JSON in an item is handed through as bytes; everything else in it is short. */
function sizeOf(item: unknown): number {
  if (typeof item !== 'object' || item === null) return itemBytes;
  let size = itemBytes;
  for (const value of Object.values(item)) if (value instanceof Uint8Array) size += value.length;
  return size;
}

type ListField<F> = {
  [K in keyof F & string]-?: NonNullable<F[K]> extends readonly unknown[] ? K : never;
}[keyof F & string];
type Item<F, K extends keyof F> = NonNullable<F[K]> extends readonly (infer T)[] ? T : never;
