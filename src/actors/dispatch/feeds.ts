import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Store } from '../../kernel/store.js';
import { progressLimit } from '../../plugins/handler-run.js';
import type { NodeProgress } from '../link/frames.js';
import { ProgressBuffers } from '../link/progress-buffers.js';
import { DispatchFeed } from './feed.js';
import type { LiveDispatches } from './live.js';
import { DispatchReads } from './reads.js';
import type { DispatchFeedControl, DispatchHappening, FollowOptions } from './view.js';

/** What is kept of the progress of one dispatch, and of all. */
const ofOne = { count: 256, bytes: 512 * 1024 };
const ofAll = { count: 16_384, bytes: 32 * 1024 * 1024 };
/** How long, after its end, for a reader who comes back: milliseconds, and for how many dispatches at most. */
const lingerMs = 30_000;
const mostLingering = 1_024;

export interface DispatchFeedsOptions {
  readonly live: LiveDispatches;
  readonly store: Store;
  readonly deadlines: Deadlines;
}

/**
 * What happens to dispatches, as it happens: their steps from their records, and the latest of their progress from memory. Progress is
 * best effort: it is bounded, on no disk, and changes no state. A dispatch without progress and without a reader has no feed.
 * Readers pull, so a slow one costs nothing but its place: what was dropped meanwhile it learns as a gap.
 */
export class DispatchFeeds implements DispatchFeedControl {
  readonly #live: LiveDispatches;
  readonly #deadlines: Deadlines;
  readonly #reads: DispatchReads;
  readonly #feeds = new Map<string, DispatchFeed>();
  readonly #lingering = new Map<string, DispatchFeed>();
  readonly #progress = new ProgressBuffers(ofOne, ofAll);
  readonly #dropped = new Map<string, number>();

  constructor(options: DispatchFeedsOptions) {
    this.#live = options.live;
    this.#deadlines = options.deadlines;
    this.#reads = new DispatchReads(options);
    options.live.watch({
      changed: ({ id }) => this.#feeds.get(id)?.wake(),
      ended: ({ id }) => this.#ended(id),
    });
  }

  /** Feeds that are kept, and the bytes of progress in them. */
  get size(): { readonly feeds: number; readonly bytes: number } {
    return { feeds: this.#feeds.size, bytes: this.#progress.bytes };
  }

  /** Takes what a node says of a running handler. What is not in order, too large, or of nothing that runs there is dropped. */
  take(deviceId: string, progress: NodeProgress): void {
    const { dispatchId, sequence, value } = progress;
    const record = this.#live.get(dispatchId);
    const runs = record?.state === 'running' || record?.state === 'dispatched';
    if (!runs || record.deviceId !== deviceId || value.length > progressLimit) {
      this.#drop(deviceId);
      return;
    }
    const feed = this.#feedOf(dispatchId);
    if (feed.epoch !== record.sentInEpoch) {
      // It was sent again: its handler counts anew.
      this.#progress.take(dispatchId);
      feed.restart(record.sentInEpoch);
    }
    if (sequence <= feed.latest) {
      this.#drop(deviceId);
      return;
    }
    feed.latest = sequence;
    // A copy: the bytes that came are a view of the whole frame.
    this.#progress.add({ dispatchId, sequence, value: new Uint8Array(value) });
    feed.wake();
  }

  /** How many progress values of a device were dropped since the daemon started because they could not be what it says. */
  droppedOf(deviceId: string): number {
    return this.#dropped.get(deviceId) ?? 0;
  }

  async follow(
    _caller: VerifiedCaller,
    id: string,
    options: FollowOptions,
  ): Promise<AsyncIterable<DispatchHappening>> {
    await this.#reads.require(id);
    return this.#happenings(id, options);
  }

  async *#happenings(id: string, { after, signal }: FollowOptions): AsyncGenerator<DispatchHappening> {
    const feed = this.#feedOf(id);
    const wake = feed.read(signal);
    try {
      let cursor = after ?? { steps: 0, epoch: 0, sequence: 0 };
      while (!signal.aborted) {
        const live = this.#live.get(id);
        const record = live ?? (await this.#reads.require(id));
        const next = feed.next(record, this.#progress.of(id), cursor, live === undefined);
        if (next === undefined) {
          await wake.next();
          continue;
        }
        cursor = next.at;
        yield next;
        if (next.event === 'end') return;
      }
    } finally {
      wake.stop();
      if (!feed.isRead && (feed.epoch === 0 || feed.isOver)) this.#forget(id, feed);
    }
  }

  #feedOf(id: string): DispatchFeed {
    const known = this.#feeds.get(id);
    if (known) return known;
    const feed = new DispatchFeed();
    this.#feeds.set(id, feed);
    return feed;
  }

  #ended(id: string): void {
    const feed = this.#feeds.get(id);
    if (feed === undefined) return;
    feed.wake();
    const [oldest] = this.#lingering;
    if (oldest && this.#lingering.size >= mostLingering) this.#forget(...oldest);
    this.#lingering.set(id, feed);
    this.#deadlines.set(feed, lingerMs, () => this.#forget(id, feed), { label: 'forget progress' });
  }

  #forget(id: string, feed: DispatchFeed): void {
    this.#deadlines.release(feed);
    feed.isOver = true;
    if (this.#lingering.get(id) === feed) this.#lingering.delete(id);
    if (this.#feeds.get(id) !== feed) return;
    this.#feeds.delete(id);
    this.#progress.take(id);
  }

  #drop(deviceId: string): void {
    this.#dropped.set(deviceId, this.droppedOf(deviceId) + 1);
  }
}
