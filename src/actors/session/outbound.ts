import type { DispatchOrder } from '../link/frames.js';

/** What sends an order on its way; called at most once per offer. */
export type SendOrder = (order: DispatchOrder) => void;

/**
 * One session's way out: at most `window` dispatches unfinished at the node, the rest waits here in order. How many may
 * wait is bounded where dispatches are created, so this never grows past that bound.
 */
export class Outbound {
  readonly #window: number;
  readonly #send: SendOrder;
  readonly #waiting = new Map<string, DispatchOrder>();
  readonly #inFlight = new Set<string>();

  constructor(window: number, send: SendOrder) {
    this.#window = window;
    this.#send = send;
  }

  /** Sends it now if there is credit, else when there is. */
  offer(order: DispatchOrder): void {
    if (this.hasRoom) this.#dispatch(order);
    else this.#waiting.set(order.dispatchId, order);
  }

  /** The node has work from an earlier session: it counts against the window. */
  adopt(dispatchId: string): void {
    this.#inFlight.add(dispatchId);
  }

  /** Takes back what waits. */
  withdraw(dispatchId: string): void {
    this.#waiting.delete(dispatchId);
  }

  /** The node has ended it: the next in line takes its place. */
  finished(dispatchId: string): void {
    if (!this.#inFlight.delete(dispatchId)) return;
    for (const [id, order] of this.#waiting) {
      if (this.#inFlight.size >= this.#window) return;
      this.#waiting.delete(id);
      this.#dispatch(order);
    }
  }

  /** Whether what is offered now goes out at once. */
  get hasRoom(): boolean {
    return this.#inFlight.size < this.#window && this.#waiting.size === 0;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Everything that is not finished: waiting first, then sent. */
  unfinished(): readonly string[] {
    return [...this.#waiting.keys(), ...this.#inFlight];
  }

  #dispatch(order: DispatchOrder): void {
    this.#inFlight.add(order.dispatchId);
    this.#send(order);
  }
}
