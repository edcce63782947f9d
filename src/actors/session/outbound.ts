import type { DispatchOrder } from '../link/frames.js';

/** What sends an order on its way; called at most once per offer. */
export type SendOrder = (order: DispatchOrder) => void;

/** What of an order says where it has to wait. */
export type Load = Pick<DispatchOrder, 'capability' | 'descriptorDigest'> & {
  readonly input: { readonly byteLength: number };
};

/** How much of what has not ended may be at a node. */
export interface Credit {
  /** Dispatches. */
  readonly window: number;
  /** Bytes of their inputs: what is kept for a node that does not read. One input may always go. */
  readonly bytes: number;
  /** Runs at a time of what an order asks for. */
  concurrencyOf(order: Pick<Load, 'capability' | 'descriptorDigest'>): number;
}

/** What is asked of one capability. */
interface Lane {
  /** By id; with their place in the line of the session. */
  readonly waiting: Map<string, { readonly order: DispatchOrder; readonly place: number }>;
  /** At the node, but for those that a person there is asked about. */
  running: number;
}

/** A dispatch at the node. */
interface Sent {
  readonly lane: string;
  readonly bytes: number;
  isAsked: boolean;
}

/**
 * One session's way out: what may be at the node at a time, and the line of the rest. Of each capability no more goes out than
 * may run at once, so that what waits for a slow one waits here, where its time does not run, and not before others at
 * the node. Among those that may go, first come, first served. How many may wait is bounded where dispatches are created.
 */
export class Outbound {
  readonly #credit: Credit;
  readonly #send: SendOrder;
  readonly #lanes = new Map<string, Lane>();
  readonly #sent = new Map<string, Sent>();
  #bytes = 0;
  #places = 0;

  constructor(credit: Credit, send: SendOrder) {
    this.#credit = credit;
    this.#send = send;
  }

  /** Sends it now if there is credit, else when there is. */
  offer(order: DispatchOrder): void {
    const { waiting } = this.#lane(order.capability);
    waiting.set(order.dispatchId, { order, place: this.#places++ });
    this.#sendWhatMayGo();
  }

  /** The node has work from an earlier session: it counts against the credit. */
  adopt(dispatchId: string, capability: string): void {
    this.#enter(dispatchId, capability, 0);
  }

  /** Takes back what waits. */
  withdraw(dispatchId: string): void {
    for (const [name, { waiting }] of this.#lanes) if (waiting.delete(dispatchId)) this.#leave(name);
  }

  /** The person at the node is asked, or has answered: who is asked about takes no place of those that may run. */
  asked(dispatchId: string, isAsked: boolean): void {
    const sent = this.#sent.get(dispatchId);
    if (sent === undefined || sent.isAsked === isAsked) return;
    sent.isAsked = isAsked;
    this.#lane(sent.lane).running += isAsked ? -1 : 1;
    this.#sendWhatMayGo();
  }

  /** The node has ended it: the next in line takes its place. */
  finished(dispatchId: string): void {
    if (!this.#sent.has(dispatchId)) return;
    this.#exit(dispatchId);
    this.#sendWhatMayGo();
  }

  /** Whether what is offered now goes out at once. */
  hasRoom(load: Load): boolean {
    if (!this.#fits(load.input.byteLength) || this.#next() !== undefined) return false;
    const lane = this.#lanes.get(load.capability);
    return lane === undefined || (lane.waiting.size === 0 && lane.running < this.#credit.concurrencyOf(load));
  }

  get inFlight(): number {
    return this.#sent.size;
  }

  /** Everything that is not finished: waiting first, then sent. */
  unfinished(): readonly string[] {
    const waiting = [...this.#lanes.values()].flatMap((lane) => [...lane.waiting.keys()]);
    return [...waiting, ...this.#sent.keys()];
  }

  #sendWhatMayGo(): void {
    for (let order = this.#next(); order !== undefined; order = this.#next()) {
      // One that is too large for what is left is not overtaken, or it might wait for ever.
      if (!this.#fits(order.input.byteLength)) return;
      this.#lane(order.capability).waiting.delete(order.dispatchId);
      this.#enter(order.dispatchId, order.capability, order.input.byteLength);
      this.#send(order);
    }
  }

  /** The first in line whose capability may run once more. */
  #next(): DispatchOrder | undefined {
    let first: { readonly order: DispatchOrder; readonly place: number } | undefined;
    for (const { waiting, running } of this.#lanes.values()) {
      const [head] = waiting.values();
      if (head === undefined || (first !== undefined && first.place < head.place)) continue;
      if (running < this.#credit.concurrencyOf(head.order)) first = head;
    }
    return first?.order;
  }

  #fits(bytes: number): boolean {
    const isFull = this.#sent.size >= this.#credit.window;
    return !isFull && (this.#bytes === 0 || this.#bytes + bytes <= this.#credit.bytes);
  }

  /** A node may have said that it has what it is sent only now, as after the daemon was restored: it counts once. */
  #enter(dispatchId: string, lane: string, bytes: number): void {
    this.#exit(dispatchId);
    this.#sent.set(dispatchId, { lane, bytes, isAsked: false });
    this.#bytes += bytes;
    this.#lane(lane).running += 1;
  }

  #exit(dispatchId: string): void {
    const sent = this.#sent.get(dispatchId);
    if (sent === undefined) return;
    this.#sent.delete(dispatchId);
    this.#bytes -= sent.bytes;
    if (!sent.isAsked) this.#lane(sent.lane).running -= 1;
    this.#leave(sent.lane);
  }

  #lane(name: string): Lane {
    const lane = this.#lanes.get(name) ?? { waiting: new Map(), running: 0 };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Names of capabilities come from many builds: one that nothing is asked of is forgotten. */
  #leave(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane?.waiting.size === 0 && lane.running === 0) this.#lanes.delete(name);
  }
}
