import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { AppError } from '../../kernel/errors.js';
import type { Store, StoreOperation } from '../../kernel/store.js';
import { eachStored } from '../records.js';
import type { Subject } from './question.js';

/** What a person has allowed for a while, and until when. Times are milliseconds since the epoch. */
export interface RememberedAnswer {
  readonly id: string;
  readonly capability: string;
  readonly descriptorDigest: string;
  readonly plugin: string;
  readonly build: string;
  readonly by: 'origin' | 'value';
  readonly value: string;
  readonly caller: string;
  readonly allowedAt: number;
  readonly expiresAt: number;
}

/** What an answer is remembered for: with anything else in one of these, the person is asked again. */
type Key = Omit<RememberedAnswer, 'allowedAt' | 'expiresAt'>;

const kind = 'answer';
const mark = { kind: 'answer-clock', id: 'mark' } as const;
/** How many answers are kept; past it, the one that ends first goes. */
const mostAnswers = 256;
/** A difference between two clocks that is no mere correction, milliseconds (protocol.md 22). */
const stepMs = 5_000;
/** How far the mark on disk may be behind, milliseconds: so that a remembered yes is not a write each time. */
const markEveryMs = 1_000;
/** How often time is marked while there are answers, used or not, milliseconds. */
const lookEveryMs = 60_000;
/** Commits that lose against the owner, who forgets answers from another process. */
const mostTries = 5;

/**
 * The answers that the person at a node gave for a while. They are read from the store at each question, so what the owner
 * forgets, also from another process, counts from then on.
 *
 * Time never goes back for them. While the host runs it is at least what monotonic time says; over a restart it is at least
 * the latest time that is on disk. A wall clock that is found more than five seconds behind that was set back, and then
 * nobody knows how old an answer is: all are forgotten.
 *
 * @example
 * const answers = new RememberedAnswers(store, systemClock);
 * await answers.keep(subject, 3_600_000);
 * (await answers.find(subject))?.expiresAt;
 */
export class RememberedAnswers {
  readonly #store: Store;
  readonly #clock: Clock;
  /** Wall and monotonic time at one moment. */
  #wall: number;
  #monotonic: number;
  #turns: Promise<unknown> = Promise.resolve();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#wall = clock.now();
    this.#monotonic = clock.monotonic();
  }

  /** The answer that holds for this, if there is one. */
  find(subject: Subject): Promise<RememberedAnswer | undefined> {
    return this.#inTurn(async () => {
      const key = keyOf(subject);
      if (key === undefined) return undefined;
      const now = await this.#time();
      const stored = await this.#store.get(kind, key.id);
      const answer = stored && (stored.data as RememberedAnswer);
      return answer !== undefined && isFor(answer, key) && now < answer.expiresAt ? answer : undefined;
    });
  }

  /**
   * Remembers a yes, on disk with fsync. It takes the place of an earlier one for the same.
   *
   * @param forMs milliseconds
   * @returns undefined when nothing of this may be remembered
   */
  keep(subject: Subject, forMs: number): Promise<RememberedAnswer | undefined> {
    return this.#inTurn(async () => {
      const key = keyOf(subject);
      if (key === undefined) return undefined;
      const allowedAt = await this.#time();
      const answer = { ...key, allowedAt, expiresAt: allowedAt + forMs };
      await this.#commit(async () => {
        const before = await this.#store.get(kind, key.id);
        const journal = { event: 'allowed', by: key.caller, from: before?.state ?? '' };
        const entry = { createdAt: allowedAt, updatedAt: allowedAt, state: 'allowed', owner: '' };
        const expect = before?.version ?? 0;
        const put = { op: 'put', kind, id: key.id, expect, ...entry, data: answer, journal } as const;
        return [...(await this.#room(key.id, allowedAt)), put];
      });
      return answer;
    });
  }

  /** Those that hold, the one that ends first in front. */
  list(): Promise<readonly RememberedAnswer[]> {
    return this.#inTurn(async () => {
      const now = this.#clock.now();
      const all = (await this.#all()).map(({ data }) => data as RememberedAnswer);
      return all
        .filter(({ allowedAt, expiresAt }) => allowedAt - stepMs <= now && now < expiresAt)
        .sort((a, b) => a.expiresAt - b.expiresAt);
    });
  }

  /** Forgets one, or all of them. Returns how many there were. */
  forget(id?: string): Promise<number> {
    return this.#inTurn(() => this.#forget(id));
  }

  /** Marks time once a minute while there are answers, so that a restart with a clock that was set back wins a minute at most. Returns what ends it. */
  watch(deadlines: Deadlines, failed: (error: unknown) => void): () => void {
    const look = async (): Promise<void> => {
      const { records } = await this.#store.list({ kind, limit: 1 });
      if (records.length > 0) await this.#time();
    };
    deadlines.set(
      this,
      lookEveryMs,
      () => {
        this.watch(deadlines, failed);
        this.#inTurn(look).catch(failed);
      },
      { label: 'mark the time of remembered answers' },
    );
    return () => deadlines.release(this);
  }

  async #forget(id?: string): Promise<number> {
    let forgotten = 0;
    await this.#commit(async () => {
      const doomed = (await this.#all()).filter((one) => id === undefined || one.id === id);
      forgotten = doomed.length;
      return doomed.map(deletion);
    });
    return forgotten;
  }

  /** What has to go for one more: what is over, and beyond the bound what ends first. */
  async #room(id: string, now: number): Promise<readonly StoreOperation[]> {
    const others = (await this.#all())
      .filter((one) => one.id !== id)
      .sort((a, b) => expiryOf(a.data) - expiryOf(b.data));
    const surplus = others.length - (mostAnswers - 1);
    return others.filter(({ data }, index) => expiryOf(data) <= now || index < surplus).map(deletion);
  }

  async #all() {
    const all = [];
    for await (const stored of eachStored(this.#store, kind)) all.push(stored);
    return all;
  }

  /** Now, which is never before what it was. Forgets everything when the wall clock was set back. */
  async #time(): Promise<number> {
    const [wall, monotonic] = [this.#clock.now(), this.#clock.monotonic()];
    const stored = await this.#store.get(mark.kind, mark.id);
    const marked = stored?.updatedAt ?? 0;
    // Monotonic time has fractions of a millisecond, and what is written down has none.
    const passed = this.#wall + Math.floor(monotonic - this.#monotonic);
    const least = Math.max(marked, passed);
    const wasSetBack = wall < least - stepMs;
    if (wasSetBack) await this.#forget();
    const now = wasSetBack ? wall : Math.max(wall, least);
    // Not where monotonic time alone says it: that would lose a fraction at each look.
    if (now !== passed) [this.#wall, this.#monotonic] = [now, monotonic];
    if (wasSetBack || now >= marked + markEveryMs) await this.#mark(now, stored?.version ?? 0);
    return now;
  }

  #mark(now: number, expect: number): Promise<void> {
    const entry = { state: 'seen', owner: '', createdAt: now, updatedAt: now, data: {} };
    return this.#store.commit([{ op: 'put', ...mark, expect, ...entry }], 'wal');
  }

  /** Builds and commits; again when another process has changed what it was built from. */
  async #commit(build: () => Promise<readonly StoreOperation[]>): Promise<void> {
    for (let tries = 1; ; tries++) {
      const operations = await build();
      try {
        return await this.#store.commit(operations, 'fsync');
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== 'store.conflict' || tries >= mostTries)
          throw thrown;
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }
}

function deletion({ id, version }: { readonly id: string; readonly version: number }): StoreOperation {
  return { op: 'delete', kind, id, expect: version };
}

function expiryOf(data: unknown): number {
  return (data as RememberedAnswer).expiresAt;
}

/** What it would be remembered by; undefined when nothing of it may be. */
function keyOf(subject: Subject): Key | undefined {
  const { capability, descriptorDigest, plugin, build, caller, remember } = subject;
  if (remember === undefined) return undefined;
  const { by, value } = remember;
  const parts = [capability, descriptorDigest, plugin, build, by, value, caller];
  const id = `an_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
  return { id, capability, descriptorDigest, plugin, build, by, value, caller };
}

/** The id says it already; this holds whatever a file says that somebody has changed. */
function isFor(answer: RememberedAnswer, key: Key): boolean {
  return (Object.keys(key) as (keyof Key)[]).every((part) => answer[part] === key[part]);
}
