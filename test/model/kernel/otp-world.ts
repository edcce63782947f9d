import type { Process } from './otp-model.js';
import type { BadStart } from './tree-spec.js';

/** How a process ended. A crash says why, with the supervisors that it went through first. */
export type ModelEnding =
  | { readonly kind: 'done' | 'stopped' }
  | { readonly kind: 'crashed'; readonly why: string };

export interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/** What one tree of the model shares: its time, its trace, and the starts that are meant to fail. */
export class ModelWorld {
  now = 0;
  /** By supervisor, what its children did: `+id` for each attempt to start, `-id#n how` for each end. */
  readonly trace = new Map<string, string[]>();
  readonly bad = new Map<string, BadStart[]>();
  readonly running = new Map<string, Process>();
  readonly #timers = new Set<Timer>();
  #order = 0;

  get timers(): number {
    return this.#timers.size;
  }

  note(parent: string, entry: string): void {
    const entries = this.trace.get(parent) ?? [];
    this.trace.set(parent, [...entries, entry]);
  }

  after(ms: number, fire: () => void): Timer {
    this.#order += 1;
    const timer = { due: this.now + ms, order: this.#order, fire };
    this.#timers.add(timer);
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (timer) this.#timers.delete(timer);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ due }) => due <= end)
        .sort((a, b) => a.due - b.due || a.order - b.order);
      if (!next) break;
      this.#timers.delete(next);
      this.now = next.due;
      next.fire();
    }
    this.now = end;
  }
}

/** An ending as it stands in a trace. */
export function textOf(ending: ModelEnding): string {
  return ending.kind === 'crashed' ? `crashed: ${ending.why}` : ending.kind;
}
