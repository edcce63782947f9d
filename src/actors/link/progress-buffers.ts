import type { NodeProgress } from './frames.js';

/** How many progress values may be kept, and how many bytes of JSON in them. */
export interface ProgressBound {
  readonly count: number;
  readonly bytes: number;
}

interface Kept {
  readonly values: NodeProgress[];
  bytes: number;
}

/**
 * The latest progress of many dispatches, bounded for each and for all together. What is too much pushes out the oldest: of the
 * same dispatch first, so that one that floods takes the room of no other; the numbers of what is left show the gap.
 */
export class ProgressBuffers {
  readonly #each: ProgressBound;
  readonly #all: ProgressBound;
  readonly #kept = new Map<string, Kept>();
  #count = 0;
  #bytes = 0;

  /** @param each of one dispatch; its bytes hold the largest value at least. @param all of all together */
  constructor(each: ProgressBound, all: ProgressBound) {
    this.#each = each;
    this.#all = all;
  }

  /** Values of all dispatches. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of JSON in them. */
  get bytes(): number {
    return this.#bytes;
  }

  add(progress: NodeProgress): void {
    const size = progress.value.length;
    const own: Kept = this.#kept.get(progress.dispatchId) ?? { values: [], bytes: 0 };
    while (own.values.length > 0 && isOver(this.#each, own.values.length + 1, own.bytes + size)) {
      this.#shift(own);
    }
    while (this.#count > 0 && isOver(this.#all, this.#count + 1, this.#bytes + size)) {
      if (own.values.length > 0) this.#shift(own);
      else this.next();
    }
    own.values.push(progress);
    own.bytes += size;
    this.#count += 1;
    this.#bytes += size;
    this.#kept.set(progress.dispatchId, own);
  }

  /** What is kept of a dispatch, oldest first. */
  of(dispatchId: string): readonly NodeProgress[] {
    return this.#kept.get(dispatchId)?.values ?? [];
  }

  /** Takes the oldest value of one dispatch, of each in turn. */
  next(): NodeProgress | undefined {
    for (const [id, own] of this.#kept) {
      const value = this.#shift(own);
      this.#kept.delete(id);
      if (own.values.length > 0) this.#kept.set(id, own);
      return value;
    }
    return undefined;
  }

  /** Takes all of a dispatch, oldest first. */
  take(dispatchId: string): readonly NodeProgress[] {
    const own = this.#kept.get(dispatchId);
    if (own === undefined) return [];
    this.#kept.delete(dispatchId);
    this.#count -= own.values.length;
    this.#bytes -= own.bytes;
    return own.values;
  }

  #shift(own: Kept): NodeProgress | undefined {
    const value = own.values.shift();
    if (value === undefined) return undefined;
    own.bytes -= value.value.length;
    this.#count -= 1;
    this.#bytes -= value.value.length;
    return value;
  }
}

function isOver(bound: ProgressBound, count: number, bytes: number): boolean {
  return count > bound.count || bytes > bound.bytes;
}
