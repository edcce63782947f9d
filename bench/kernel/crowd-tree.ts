import type { AnyActorLogic, EventObject } from 'xstate';
import {
  type Address,
  address,
  type CrowdEvent,
  createKernel,
  crowd,
  type Kernel,
  startRoot,
  supervisor,
} from '../../src/kernel/index.js';

/** A member's key and address, made before the clock runs. */
export interface Seat {
  readonly key: string;
  readonly address: Address;
}

/** A crowd under a supervisor, as the daemon runs its dispatches. */
export class CrowdTree {
  readonly kernel: Kernel;
  readonly #crowd = address('members');
  readonly #shutdown: () => Promise<unknown>;

  constructor(logicFor: (kernel: Kernel) => AnyActorLogic) {
    this.kernel = createKernel();
    const { kernel } = this;
    const members = crowd({
      kernel,
      name: 'members',
      logic: logicFor(kernel),
      address: (key) => address('member', key),
      shutdownMs: 1_000,
    });
    const root = startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_one',
        children: [
          { id: 'members', address: this.#crowd, logic: members, restart: 'permanent', shutdown: 'brutal' },
        ],
      }),
    );
    this.#shutdown = () => root.shutdown('measured', 0);
  }

  /** Seats that no other call gives. */
  static seats(prefix: string, count: number): readonly Seat[] {
    return Array.from({ length: count }, (_, index) => {
      const key = `${prefix}-${index}`;
      return { key, address: address('member', key) };
    });
  }

  start({ key }: Seat, input: unknown): void {
    this.#tell({ type: 'crowd.start', key, input });
  }

  stop({ key }: Seat): void {
    this.#tell({ type: 'crowd.stop', key });
  }

  send(seat: Seat, event: EventObject): void {
    this.kernel.directory.send(seat.address, event);
  }

  /** How many members run: what was measured must have happened. */
  get size(): number {
    return this.kernel.directory.addresses('member/').length;
  }

  async end(): Promise<void> {
    await this.#shutdown();
  }

  #tell(event: CrowdEvent): void {
    this.kernel.directory.send(this.#crowd, event);
  }
}
