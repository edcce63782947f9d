import { setImmediate } from 'node:timers/promises';
import type { ListQuery, Store, StoredHead } from '../../kernel/store.js';
import type { Devices } from '../device/devices.js';
import { parseDeviceId } from '../identity/device-id.js';
import { fromStored } from '../records.js';
import type { LiveDispatches } from './live.js';
import { type DispatchOutcome, type DispatchRecord, isTerminal, liveDispatchStates } from './record.js';
import type { DispatchFilter, DispatchOutcomeSummary, DispatchPage, DispatchSummary } from './view.js';

/** Heads that are looked at in one turn of the event loop. */
const pageSize = 50;
/** What one call looks at: whoever wants more goes on with the next page, which may be short. */
const most = { dispatches: 2_000, bytes: 16 * 1024 * 1024 } as const;
/** Bytes of data after which others have their turn. */
const turnBytes = 512 * 1024;
const defaultLimit = 100;

export interface DispatchSearchOptions {
  readonly store: Store;
  readonly live: LiveDispatches;
  readonly devices: Pick<Devices, 'get'>;
}

/** A place in the list, as the store knows it; undefined at its beginning. */
type Cursor = string | undefined;

/**
 * Finds dispatches, the latest first: those that live as they are in memory, which the disk follows, all others from disk.
 * What has no index is looked for in small turns and only so far in one call, so that it stands in nobody's way however much
 * there is; then the page is short, and says where to go on.
 */
export class DispatchSearch {
  readonly #options: DispatchSearchOptions;

  constructor(options: DispatchSearchOptions) {
    this.#options = options;
  }

  /** @throws AppError `identity.invalid_device_id`, and what the store throws. */
  async page(filter: DispatchFilter): Promise<DispatchPage> {
    const { limit = defaultLimit } = filter;
    const query = storeQuery(filter);
    const dispatches: DispatchSummary[] = [];
    let cursor: Cursor = filter.cursor;
    let looked = 0;
    let bytes = 0;
    let turn = 0;
    while (true) {
      const page = await this.#options.store.heads({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      for (const [at, head] of page.records.entries()) {
        if (dispatches.length === limit || (looked > 0 && bytes + head.bytes > most.bytes)) {
          return { dispatches, ...(await this.#after(query, cursor, at)) };
        }
        looked += 1;
        bytes += head.bytes;
        turn += head.bytes;
        const record = await this.#read(head);
        if (record !== undefined && isWanted(record, filter)) dispatches.push(this.#summary(record));
        if (turn < turnBytes) continue;
        turn = 0;
        await setImmediate();
      }
      cursor = page.next;
      if (cursor === undefined) return { dispatches };
      if (dispatches.length === limit || looked >= most.dispatches) return { dispatches, next: cursor };
      await setImmediate();
    }
  }

  /** Where the list goes on after the first `count` of a page. */
  async #after(query: ListQuery, cursor: Cursor, count: number): Promise<{ readonly next?: string }> {
    if (count === 0) return cursor === undefined ? {} : { next: cursor };
    const { next } = await this.#options.store.heads({
      ...query,
      limit: count,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return next === undefined ? {} : { next };
  }

  /** Undefined when it was pruned meanwhile. */
  async #read({ id }: StoredHead): Promise<DispatchRecord | undefined> {
    const { live, store } = this.#options;
    const known = live.get(id);
    // Its end is told once it is on disk.
    if (known && !isTerminal(known.state)) return known;
    const stored = await store.get('dispatch', id);
    return stored && fromStored<DispatchRecord>(stored);
  }

  #summary({
    input: _input,
    steps: _steps,
    outcome,
    resolution,
    ...record
  }: DispatchRecord): DispatchSummary {
    const nodeName = this.#options.devices.get(record.deviceId)?.name;
    return {
      ...record,
      ...(nodeName === undefined || nodeName === '' ? {} : { nodeName }),
      ...(outcome === undefined ? {} : { outcome: withoutOutput(outcome) }),
      ...(resolution === undefined ? {} : { resolution: withoutOutput(resolution) }),
    };
  }
}

/** What the store has an index for. On disk a dispatch that lives may be a state behind, so all of those are looked at. */
function storeQuery({ states, deviceId, since, until }: DispatchFilter): ListQuery {
  const wanted = new Set<string>(states);
  if (liveDispatchStates.some((state) => wanted.has(state))) {
    for (const state of liveDispatchStates) wanted.add(state);
  }
  return {
    kind: 'dispatch',
    order: 'descending',
    limit: pageSize,
    ...(states === undefined ? {} : { states: [...wanted] }),
    ...(deviceId === undefined ? {} : { owner: parseDeviceId(deviceId) }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

function isWanted(record: DispatchRecord, { states, capability, caller, labels }: DispatchFilter): boolean {
  return (
    (states === undefined || states.includes(record.state)) &&
    (capability === undefined || record.capability === capability) &&
    (caller === undefined || record.caller === caller) &&
    Object.entries(labels ?? {}).every(
      ([name, value]) => Object.hasOwn(record.labels, name) && record.labels[name] === value,
    )
  );
}

function withoutOutput({ output: _output, ...outcome }: DispatchOutcome): DispatchOutcomeSummary {
  return outcome;
}
