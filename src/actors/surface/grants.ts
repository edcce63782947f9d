import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { causeOf } from '../../kernel/journal.js';
import type { Store } from '../../kernel/store.js';
import { hasLabel, type Labels } from '../device/labels.js';
import type { DeviceRecord, OfferedCapability } from '../device/record.js';
import { surfaceError } from '../errors.js';
import { newId } from '../ids.js';
import { type RecordHead, RecordTable, transact } from '../records.js';
import type { Pin } from './state.js';

/**
 * An approval of one descriptor for every device that has certain labels, all of them. Kind `grant`. It stands, or was
 * withdrawn; that is for good.
 */
export interface GrantRecord extends RecordHead {
  readonly state: 'standing' | 'withdrawn';
  readonly capability: string;
  readonly digest: string;
  /** The build that was seen: what counts beside the digest under `plugins.pin: build`. */
  readonly buildDigest: string;
  /** At least one. */
  readonly labels: Labels;
  readonly by: string;
  readonly reason: string;
}

/** What an operator grants. */
export type GrantDraft = Pick<GrantRecord, 'capability' | 'digest' | 'buildDigest' | 'labels' | 'reason'>;

/** How many may stand at a time, and how many of those that were withdrawn are kept. */
const mostGrants = 1_000;

/**
 * What is approved by label. Whether a device has a label is the word of operators alone: labels are in its record from its
 * pairing or a later decision, and nothing that a node says of itself sets one.
 */
export class Grants {
  readonly #store: Store;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #table = new RecordTable<GrantRecord>('grant');
  /** Those that stand, by digest: looked at for each dispatch. */
  #standing: ReadonlyMap<string, readonly GrantRecord[]> = new Map();

  private constructor(store: Store, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#clock = clock;
  }

  static async open(store: Store, clock: Pick<Clock, 'now'>): Promise<Grants> {
    const grants = new Grants(store, clock);
    await grants.#table.load(store);
    grants.#index();
    return grants;
  }

  /** The grant that covers what a device offers, if one does. */
  covering(
    { labels }: Pick<DeviceRecord, 'labels'>,
    { digest, buildDigest }: Pick<OfferedCapability, 'digest' | 'buildDigest'>,
    pin: Pin,
  ): GrantRecord | undefined {
    return this.#standing
      .get(digest)
      ?.find(
        (grant) =>
          (pin === 'descriptor' || grant.buildDigest === buildDigest) && hasAll(labels, grant.labels),
      );
  }

  /** All, the newest first. */
  list(): readonly GrantRecord[] {
    return [...this.#table.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** @throws AppError `surface.too_many_grants` */
  async add(caller: VerifiedCaller, draft: GrantDraft): Promise<GrantRecord> {
    const now = this.#clock.now();
    const id = newId('gr', now);
    const grant = await transact(this.#store, () => {
      if (this.#all('standing').length >= mostGrants) {
        throw surfaceError('too_many_grants', `There are ${mostGrants} grants already`, {
          hint: 'Withdraw those that nothing needs: palyra surfaces grants',
        });
      }
      const record = {
        id,
        state: 'standing' as const,
        createdAt: now,
        updatedAt: now,
        ...draft,
        by: callerLabel(caller),
      };
      const cause = causeOf({ type: 'grant', caller }, '', draft.reason);
      return { changes: [this.#table.put(record, cause)], result: { ...record, version: 1 } };
    });
    this.#index();
    return grant;
  }

  /** @throws AppError `surface.grant_not_found`, `surface.not_possible` when it was withdrawn before */
  async withdraw(caller: VerifiedCaller, id: string, reason: string): Promise<GrantRecord> {
    const now = this.#clock.now();
    const withdrawn = await transact(this.#store, () => {
      const grant = this.require(id);
      if (grant.state === 'withdrawn') {
        throw surfaceError('not_possible', `Grant ${id} was withdrawn before`);
      }
      const record = { ...grant, state: 'withdrawn' as const, updatedAt: now };
      const [surplus] = this.#all('withdrawn').slice(mostGrants - 1);
      const cause = causeOf({ type: 'withdraw', caller }, '', reason);
      const gone = surplus === undefined ? [] : this.#table.remove(surplus.id);
      return { changes: [this.#table.put(record, cause), ...gone], result: record };
    });
    this.#index();
    return withdrawn;
  }

  /** @throws AppError `surface.grant_not_found` */
  require(id: string): GrantRecord {
    const grant = this.#table.get(id);
    if (grant !== undefined) return grant;
    throw surfaceError('grant_not_found', `There is no grant ${id}`, {
      hint: 'See which there are: palyra surfaces grants',
    });
  }

  /** Those in a state, the newest first. */
  #all(state: GrantRecord['state']): readonly GrantRecord[] {
    return this.list().filter((grant) => grant.state === state);
  }

  #index(): void {
    const standing = new Map<string, GrantRecord[]>();
    for (const grant of this.#all('standing')) {
      const same = standing.get(grant.digest);
      if (same) same.push(grant);
      else standing.set(grant.digest, [grant]);
    }
    this.#standing = standing;
  }
}

function hasAll(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => hasLabel(labels, name, value));
}
