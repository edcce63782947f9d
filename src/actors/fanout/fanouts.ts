import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import { toAppError } from '../../kernel/errors.js';
import { causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store, StoredHead } from '../../kernel/store.js';
import { sendToFanout, startMember } from '../addresses.js';
import { type AdmissionOptions, requireInvoker } from '../dispatch/admission.js';
import type { DispatchRecord } from '../dispatch/record.js';
import { fanoutError } from '../errors.js';
import { newId } from '../ids.js';
import type { Recorder } from '../recorder.js';
import { eachStored, fromStored } from '../records.js';
import type { FanoutInput, FanoutPorts } from './behaviour.js';
import { FanoutChildren, type FanoutChildrenOptions } from './children.js';
import { fanoutStep, isOpen, memberOf, withMembers } from './members.js';
import { FanoutNews } from './news.js';
import { type FanoutOrder, fanoutOfKey, orderRow, readOrder } from './orders.js';
import { FanoutReads, viewOf } from './reads.js';
import { type FanoutRecord, isFanoutOver, liveFanoutStates } from './record.js';
import { chooseTargets, judgeTargets } from './targets.js';
import type {
  CreateFanout,
  FanoutControl,
  FanoutFilter,
  FanoutPage,
  FanoutPlan,
  FanoutSince,
  FanoutView,
  PlanFanout,
} from './view.js';

export interface FanoutsOptions {
  readonly admission: AdmissionOptions;
  readonly store: Store;
  readonly deadlines: Deadlines;
  readonly directory: Directory;
  readonly log: KernelLog;
  readonly recorder: Recorder<FanoutRecord>;
  readonly dispatches: FanoutChildrenOptions['dispatches'];
}

/** The most fan-outs that may go on at a time: the input of each is kept in memory. */
export const mostFanouts = 32;
/** How far the revision moves at a restart: more than can have been told of and lost since the last commit. */
const restartGap = 1_000_000;

interface LiveFanout {
  record: FanoutRecord;
  readonly order: FanoutOrder;
  /** The devices that are its targets. */
  readonly targets: ReadonlySet<string>;
}

/** Everything that happens with fan-outs outside of their actors: planning, creation, recovery, and what is asked of the records. */
export class Fanouts implements FanoutControl {
  readonly #options: FanoutsOptions;
  readonly #live = new Map<string, LiveFanout>();
  readonly #children: FanoutChildren;
  readonly #news: FanoutNews;
  readonly #reads: FanoutReads;
  readonly #ports: FanoutPorts;
  /** Creations come one after the other, so that a key stands for one fan-out. */
  #creations: Promise<unknown> = Promise.resolve();

  constructor(options: FanoutsOptions) {
    const { store, deadlines, log, admission, recorder } = options;
    this.#options = options;
    this.#news = new FanoutNews(deadlines);
    this.#reads = new FanoutReads(store, (id) => this.#live.get(id)?.record);
    this.#children = new FanoutChildren({
      store,
      log,
      dispatches: options.dispatches,
      orderOf: (id) => this.#live.get(id)?.order,
      tell: (id, event) => sendToFanout(options.directory, id, event),
    });
    this.#ports = {
      clock: admission.clock,
      start: (record, member) => this.#children.start(record, member),
      cancel: (record, member) => this.#children.cancel(record, member),
      recall: (record) => this.#recall(record),
      changed: (record) => {
        this.#set(record);
        recorder.later(record);
      },
      ended: (record) => this.#ended(record),
    };
  }

  /** Starts the actors of all fan-outs that have not ended: after a start of the daemon, or of their crowd. */
  async recover(): Promise<void> {
    const { store, recorder } = this.#options;
    for await (const stored of eachStored(store, 'fanout', liveFanoutStates)) {
      if (this.#live.has(stored.id)) continue;
      const order = await readOrder(store, stored.id);
      if (order === undefined) continue;
      const kept = fromStored<FanoutRecord>(stored);
      recorder.adopt(kept);
      this.#keep({ ...kept, revision: kept.revision + restartGap }, order);
    }
    for (const { record } of this.#live.values()) {
      if (!isFanoutOver(record.state)) this.#start({ ports: this.#ports, record, fresh: false });
    }
  }

  /**
   * Whether a fan-out that has not ended may have made a dispatch, so that it must not be deleted yet: a fan-out that goes on after
   * a crash makes again what it does not find.
   */
  mayLookFor({ owner, createdAt }: Pick<StoredHead, 'owner' | 'createdAt'>): boolean {
    return [...this.#live.values()].some(
      ({ record, targets }) => createdAt >= record.createdAt && targets.has(owner),
    );
  }

  /** What a crashed actor of a fan-out starts from; undefined when it has ended. */
  revive(id: string): FanoutInput | undefined {
    const record = this.#live.get(id)?.record;
    if (record === undefined || isFanoutOver(record.state)) return undefined;
    return { ports: this.#ports, record, fresh: false };
  }

  /** Its actor crashed twice: no more targets are started, and those under way end without it. */
  abandon(id: string, error: unknown): void {
    const record = this.#live.get(id)?.record;
    if (record === undefined || isFanoutOver(record.state)) return;
    const at = this.#options.admission.clock.now();
    const ends = record.members.filter(isOpen).map(({ deviceId, state }) => {
      const end =
        state === 'waiting'
          ? { state: 'not_started' as const }
          : { state: 'outcome_unknown' as const, reason: 'crashed' };
      return [deviceId, end] as const;
    });
    const cause = causeOf({ type: 'crash' }, 'system:daemon', toAppError(error).message);
    this.#ended({
      ...fanoutStep(withMembers(record, new Map(ends), at), 'stopped', at, cause),
      finishedAt: at,
    });
  }

  /** A dispatch of a fan-out has ended, and that is written. */
  dispatchEnded(fanoutId: string, dispatch: DispatchRecord): void {
    const { deviceId } = dispatch;
    sendToFanout(this.#options.directory, fanoutId, { type: 'ended', deviceId, end: memberOf(dispatch) });
  }

  async plan(caller: VerifiedCaller, request: PlanFanout): Promise<FanoutPlan> {
    requireInvoker(caller);
    const { admission } = this.#options;
    const { devices, matched, digest } = chooseTargets(request, admission);
    const targets = await judgeTargets(caller, request, devices, admission);
    return { capability: request.capability, matched, targets, targetsDigest: digest };
  }

  create(caller: VerifiedCaller, request: CreateFanout): Promise<FanoutView> {
    requireInvoker(caller);
    const created = this.#creations.then(() => this.#create(caller, request));
    this.#creations = created.catch(() => undefined);
    return created;
  }

  async get(
    _caller: VerifiedCaller,
    id: string,
    { after = 0, waitMs = 0 }: FanoutSince = {},
  ): Promise<FanoutView> {
    const record = await this.#reads.require(id);
    if (waitMs === 0 || record.revision !== after || isFanoutOver(record.state)) return viewOf(record, after);
    await this.#news.next(id, waitMs);
    return viewOf(await this.#reads.require(id), after);
  }

  list(_caller: VerifiedCaller, filter: FanoutFilter): Promise<FanoutPage> {
    return this.#reads.list(filter);
  }

  async cancel(caller: VerifiedCaller, id: string, reason: string): Promise<FanoutView> {
    requireInvoker(caller);
    const record = await this.#reads.require(id);
    const { directory, recorder } = this.#options;
    if (isFanoutOver(record.state) || !sendToFanout(directory, id, { type: 'cancel', caller, reason })) {
      throw fanoutError('already_ended', `Fan-out ${id} is ${record.state} already`);
    }
    // The wish is on disk before anybody is told so.
    const wished = this.#live.get(id)?.record;
    if (wished !== undefined && !isFanoutOver(wished.state)) await recorder.now(wished, 'fsync');
    return viewOf(await this.#reads.require(id));
  }

  async #create(caller: VerifiedCaller, request: CreateFanout): Promise<FanoutView> {
    const { store, admission, recorder } = this.#options;
    const earlier = await fanoutOfKey(store, caller, request);
    if (earlier !== undefined) return viewOf(await this.#reads.require(earlier));
    const { devices, digest } = chooseTargets(request, admission);
    if (request.targetsDigest !== undefined && request.targetsDigest !== digest) {
      throw fanoutError('targets_changed', 'Other nodes are meant by now than were shown: nothing was run', {
        hint: 'Look at them again.',
      });
    }
    if (this.#live.size >= mostFanouts) {
      throw fanoutError('busy', `${mostFanouts} fan-outs go on already`, {
        hint: 'Wait until one has ended: palyra fanouts list',
      });
    }
    const now = admission.clock.now();
    const by = callerLabel(caller);
    const record: FanoutRecord = {
      id: newId('fo', now),
      version: 0,
      state: 'running',
      revision: 1,
      selector: request.selector ?? '',
      capability: request.capability,
      caller: by,
      labels: request.labels ?? {},
      queue: request.queue === true,
      batch: request.batch ?? devices.length,
      members: devices.map(({ id, name }) => ({ deviceId: id, name, state: 'waiting', revision: 1 })),
      createdAt: now,
      updatedAt: now,
      steps: [{ at: now, to: 'running', event: 'create', by }],
      ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
      ...(request.stopAfterFailures === undefined ? {} : { stopAfterFailures: request.stopAfterFailures }),
    };
    await recorder.now(record, 'fsync', [orderRow(record, caller, request)]);
    this.#keep(record, { caller, input: request.input });
    this.#start({ ports: this.#ports, record, fresh: true });
    return viewOf(this.#live.get(record.id)?.record ?? record);
  }

  #keep(record: FanoutRecord, order: FanoutOrder): void {
    const targets = new Set(record.members.map(({ deviceId }) => deviceId));
    this.#live.set(record.id, { record, order, targets });
  }

  #start(input: FanoutInput): void {
    startMember(this.#options.directory, 'fanouts', input.record.id, input);
  }

  #recall(record: FanoutRecord): void {
    const { directory, log } = this.#options;
    this.#children.recall(record).then(
      (members) => sendToFanout(directory, record.id, { type: 'recalled', members }),
      (err: unknown) => log.error({ err, fanout: record.id }, 'What became of a fan-out could not be read'),
    );
  }

  #set(record: FanoutRecord): void {
    const live = this.#live.get(record.id);
    if (live !== undefined) live.record = record;
    this.#news.changed(record.id);
  }

  #ended(record: FanoutRecord): void {
    const { recorder, log } = this.#options;
    this.#set(record);
    recorder
      .last(record, 'fsync', () => undefined)
      .then(
        () => {
          this.#live.delete(record.id);
          this.#news.changed(record.id);
        },
        (err: unknown) => log.error({ err, fanout: record.id }, 'The end of a fan-out could not be written'),
      );
  }
}
