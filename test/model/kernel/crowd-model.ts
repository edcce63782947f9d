import type { BadStart, Farewell } from './tree-spec.js';

export const shutdownMs = 300;
export const capacity = 2;

export interface CrowdSpec {
  readonly farewell: Farewell;
  /** What `revive` does. */
  readonly revives: 'from its record' | 'nothing' | 'throws';
}

/** What a crowd promises, in the plainest way. */
export class CrowdModel {
  readonly trace: string[] = [];
  readonly bad = new Map<string, BadStart[]>();
  readonly members = new Map<string, { readonly isSecond: boolean; asked: boolean }>();
  letters = 0;
  isDone = false;
  #now = 0;
  #isStopping = false;
  #timers: { readonly due: number; readonly owner: object; readonly fire: () => void }[] = [];
  readonly #spec: CrowdSpec;

  constructor(spec: CrowdSpec) {
    this.#spec = spec;
  }

  get timers(): number {
    return this.#timers.length;
  }

  start(of: string): void {
    if (this.#isStopping || this.members.has(of) || this.members.size >= capacity) this.letters += 1;
    else this.#begin(of, false);
  }

  stop(of: string): void {
    const member = this.members.get(of);
    if (!member || member.asked) return;
    this.#after(shutdownMs, member, () => this.end(of, 'stopped'));
    this.#ask(of);
  }

  end(of: string, how: 'crashed' | 'done' | 'stopped'): void {
    const member = this.members.get(of);
    if (!member) return;
    this.trace.push(`-${of} ${how}`);
    this.#leave(of, how, member);
  }

  shutdown(): void {
    this.#isStopping = true;
    if (this.members.size > 0) {
      this.#after(shutdownMs, this, () => {
        for (const of of [...this.members.keys()]) this.end(of, 'stopped');
      });
    }
    for (const of of [...this.members.keys()]) this.#ask(of);
    this.#check();
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      // The sort is stable: at one time, what was set first fires first.
      const [next] = this.#timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.due;
      next.fire();
    }
    this.#now = end;
  }

  #begin(of: string, isSecond: boolean): void {
    const member = { isSecond, asked: false };
    this.members.set(of, member);
    this.trace.push(`+${of}`);
    const bad = this.bad.get(of)?.shift();
    if (bad === 'throws') this.#leave(of, 'crashed', member);
    if (bad === 'finishes') this.#leave(of, 'done', member);
  }

  #ask(of: string): void {
    const member = this.members.get(of);
    if (!member || member.asked) return;
    member.asked = true;
    const { does, afterMs } = this.#spec.farewell;
    const leave = (): void => this.end(of, does === 'ends' ? 'done' : 'crashed');
    if (does === 'nothing') return;
    if (afterMs === 0) leave();
    else this.#after(afterMs, member, leave);
  }

  #leave(of: string, how: string, member: { readonly isSecond: boolean; readonly asked: boolean }): void {
    this.members.delete(of);
    this.#timers = this.#timers.filter(({ owner }) => owner !== member);
    if (how === 'crashed' && !this.#isStopping) {
      if (!member.isSecond && !member.asked && this.#spec.revives === 'from its record')
        this.#begin(of, true);
      else this.trace.push(`${of} is abandoned`);
    }
    this.#check();
  }

  #check(): void {
    if (!this.#isStopping || this.members.size > 0) return;
    this.isDone = true;
    this.#timers = [];
  }

  #after(ms: number, owner: object, fire: () => void): void {
    this.#timers.push({ due: this.#now + ms, owner, fire });
  }
}
