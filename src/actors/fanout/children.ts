import { setImmediate } from 'node:timers/promises';
import { toAppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import type { Dispatches } from '../dispatch/dispatches.js';
import { dispatchIdOfKey } from '../dispatch/idempotency.js';
import type { FanoutEvent, MemberNews } from './events.js';
import { isOpen, memberOf } from './members.js';
import type { FanoutOrder } from './orders.js';
import type { FanoutMember, FanoutRecord } from './record.js';

/** How many dispatches are begun in one turn of the event loop. */
const turnSize = 16;

export interface FanoutChildrenOptions {
  readonly store: Store;
  readonly dispatches: Pick<Dispatches, 'create' | 'get' | 'cancel'>;
  readonly log: KernelLog;
  orderOf(fanoutId: string): FanoutOrder | undefined;
  tell(fanoutId: string, event: FanoutEvent): void;
}

/**
 * The dispatches of fan-outs: made like any other, by the authority of who asked for the fan-out, each with a key that is made of the
 * fan-out and its target. The key is written with the dispatch or not at all, so it says after any crash whether there is one.
 */
export class FanoutChildren {
  readonly #options: FanoutChildrenOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #making = new Map<string, Set<Promise<void>>>();
  #isDraining = false;

  constructor(options: FanoutChildrenOptions) {
    this.#options = options;
  }

  /** Has the dispatch of a target made, soon: a few in each turn of the loop. */
  start(record: FanoutRecord, member: FanoutMember): void {
    const making = this.#making.get(record.id) ?? new Set();
    this.#making.set(record.id, making);
    const made = new Promise<void>((resolve) => {
      this.#waiting.push(() => this.#make(record, member).then(resolve, resolve));
    });
    making.add(made);
    made.then(() => {
      making.delete(made);
      if (making.size === 0 && this.#making.get(record.id) === making) this.#making.delete(record.id);
    });
    if (!this.#isDraining) this.#drain().catch(() => undefined);
  }

  cancel({ id, cancelRequestedBy = '', steps }: FanoutRecord, { dispatchId }: FanoutMember): void {
    const { orderOf, dispatches, log } = this.#options;
    const order = orderOf(id);
    if (order === undefined || dispatchId === undefined) return;
    const why = steps.findLast(({ to }) => to === 'cancelling')?.note ?? '';
    const reason = `fan-out cancelled by ${cancelRequestedBy}${why === '' ? '' : `: ${why}`}`.slice(0, 500);
    dispatches.cancel(order.caller, dispatchId, reason).catch((err: unknown) => {
      // It has ended meanwhile: the fan-out hears of that.
      if (toAppError(err).code !== 'dispatch.already_ended')
        log.warn({ err, fanout: id, dispatch: dispatchId }, 'A dispatch of a fan-out could not be cancelled');
    });
  }

  /** What has become of the targets that had not ended: read from what is on disk and what lives. */
  async recall(record: FanoutRecord): Promise<MemberNews> {
    await Promise.all(this.#making.get(record.id) ?? []);
    const news = new Map<string, Partial<FanoutMember>>();
    for (const member of record.members.filter(isOpen))
      news.set(member.deviceId, await this.#find(record, member));
    return news;
  }

  async #find(record: FanoutRecord, member: FanoutMember): Promise<Partial<FanoutMember>> {
    const { store, dispatches, orderOf } = this.#options;
    const order = orderOf(record.id);
    const key = childKey(record.id, member);
    const known =
      order && (member.dispatchId ?? (await dispatchIdOfKey(store, { caller: order.caller, key })));
    if (order === undefined || known === undefined) return { state: 'waiting' };
    try {
      return memberOf(await dispatches.get(order.caller, known));
    } catch (thrown) {
      if (toAppError(thrown).code !== 'dispatch.not_found') throw thrown;
      return { dispatchId: known, state: 'outcome_unknown', reason: 'pruned' };
    }
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#waiting.length > 0) {
      for (const make of this.#waiting.splice(0, turnSize)) make();
      await setImmediate();
    }
    this.#isDraining = false;
  }

  async #make(record: FanoutRecord, member: FanoutMember): Promise<void> {
    const { dispatches, orderOf, tell } = this.#options;
    const order = orderOf(record.id);
    if (order === undefined) return;
    const { deviceId } = member;
    try {
      const dispatch = await dispatches.create(order.caller, {
        node: deviceId,
        capability: record.capability,
        input: order.input,
        idempotencyKey: childKey(record.id, member),
        labels: record.labels,
        queue: record.queue,
        fanout: record.id,
        ...(record.timeoutMs === undefined ? {} : { timeoutMs: record.timeoutMs }),
      });
      const { state = 'started', ...known } = memberOf(dispatch);
      if (state === 'started') tell(record.id, { type: 'started', deviceId, dispatchId: dispatch.id });
      else tell(record.id, { type: 'ended', deviceId, end: { state, ...known } });
    } catch (thrown) {
      const { code, message } = toAppError(thrown);
      // The daemon stops: whether there is a dispatch is found out after the next start.
      if (code === 'dispatch.stopping' || code.startsWith('store.')) return;
      const state = code === 'dispatch.node_offline' ? 'skipped' : 'refused';
      const error = { code, message: message.slice(0, 500) };
      tell(record.id, { type: 'ended', deviceId, end: { state, error } });
    }
  }
}

function childKey(fanoutId: string, { deviceId }: FanoutMember): string {
  return `fanout/${fanoutId}/${deviceId}`;
}
