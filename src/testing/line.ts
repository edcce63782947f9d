import type { DaemonFrame, NodeFrame } from '../actors/link/frames.js';
import type { Clock } from '../kernel/clock.js';
import type { Faults } from './faults.js';
import type { Wire } from './wire.js';

/** The connections between a daemon and a node, whose frames move by themselves, with the faults that were asked for. */
export class Line {
  readonly #faults: Faults;
  readonly #clock: Clock;
  #wires: Wire[] = [];
  /** When what is held up in a direction may go on; a frame that was held up once has had its fault. */
  readonly #heldUp = new Map<NodeFrame | DaemonFrame, number>();

  constructor(faults: Faults, clock: Clock) {
    this.#faults = faults;
    this.#clock = clock;
  }

  add(wire: Wire): void {
    this.#wires.push(wire);
  }

  /** Moves what may move by one frame in each direction. Returns whether anything moved. */
  step(): boolean {
    let moved = false;
    for (const wire of [...this.#wires]) {
      moved = this.#move(wire, wire.nextUp, (copies) => wire.deliverUp(copies)) || moved;
      moved = this.#move(wire, wire.nextDown, (copies) => wire.deliverDown(copies)) || moved;
    }
    this.#wires = this.#wires.filter((wire) => !wire.isOver);
    return moved;
  }

  /** Breaks all connections. @param knows which sides learn of it at once */
  cut(knows: { readonly daemon: boolean; readonly node: boolean }): void {
    for (const wire of this.#wires) wire.cut(knows.daemon, knows.node);
  }

  #move(
    wire: Wire,
    frame: NodeFrame | DaemonFrame | undefined,
    deliver: (copies?: number) => boolean,
  ): boolean {
    // Ends are told behind the last frame.
    if (frame === undefined) return deliver();
    const until = this.#heldUp.get(frame);
    if (until !== undefined) {
      if (this.#clock.monotonic() < until) return false;
      this.#heldUp.delete(frame);
      return deliver();
    }
    const fate = this.#faults.take(frame);
    if (fate?.kind === 'disconnect') {
      wire.cut(true, true);
      return true;
    }
    if (fate?.kind === 'delay') {
      this.#heldUp.set(frame, this.#clock.monotonic() + fate.ms);
      return true;
    }
    return deliver(fate?.copies);
  }
}
