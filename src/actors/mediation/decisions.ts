import type { Store } from '../../kernel/store.js';
import type { Decision } from './mediations.js';
import type { Allowance } from './permission.js';
import type { Subject } from './question.js';

/** What became of one question, for the owner of the machine. Times are milliseconds since the epoch. */
export interface RecordedDecision {
  readonly dispatchId: string;
  readonly at: number;
  readonly decision: Decision['kind'];
  readonly capability: string;
  readonly plugin: string;
  readonly build: string;
  readonly caller: string;
  /** For `allowed`: by whose word. */
  readonly by?: Allowance['by'];
  /** What the same is allowed for without a question, and until when. */
  readonly value?: string;
  readonly until?: number;
}

const kind = 'decision';
/** How many are kept; the oldest go. */
const mostDecisions = 1_000;
/** How many more there may be between two looks: so that a decision costs one write. */
const slack = 100;

/** The account of what was asked at a node, by whom, and what came of it. A dispatch that was asked for twice has its last decision. */
export class DecisionJournal {
  readonly #store: Store;
  #untilPruned = 0;
  #turns: Promise<unknown> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param at milliseconds since the epoch */
  note(subject: Subject, decision: Decision, at: number): Promise<void> {
    const { dispatchId, capability, plugin, build, caller, remember } = subject;
    const about = { dispatchId, at, decision: decision.kind, capability, plugin, build, caller };
    const { by, until } = decision.kind === 'allowed' ? decision.permission : {};
    const recorded: RecordedDecision = {
      ...about,
      ...(by === undefined ? {} : { by }),
      ...(until === undefined || remember === undefined ? {} : { value: remember.value, until }),
    };
    return this.#inTurn(async () => {
      const before = await this.#store.get(kind, dispatchId);
      const entry = { state: decision.kind, owner: caller, createdAt: at, updatedAt: at, data: recorded };
      const expect = before?.version ?? 0;
      await this.#store.commit([{ op: 'put', kind, id: dispatchId, expect, ...entry }], 'wal');
      if (this.#untilPruned-- <= 0) await this.#prune();
    });
  }

  /** The latest first. @param limit 1 to 1000 */
  async latest(limit: number): Promise<readonly RecordedDecision[]> {
    const { records } = await this.#store.list({ kind, limit, order: 'descending' });
    return records.map(({ data }) => data as RecordedDecision);
  }

  async #prune(): Promise<void> {
    this.#untilPruned = slack;
    const { next } = await this.#store.heads({ kind, limit: mostDecisions, order: 'descending' });
    if (next === undefined) return;
    const old = await this.#store.heads({ kind, limit: 1_000, order: 'descending', cursor: next });
    await this.#store.commit(
      old.records.map(({ id, version }) => ({ op: 'delete', kind, id, expect: version })),
      'wal',
    );
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }
}
