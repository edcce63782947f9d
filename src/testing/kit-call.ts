import { type DispatchOutcome, type DispatchRecord, isTerminal } from '../actors/dispatch/record.js';

/** What a request may say beside its input. */
export interface CallOptions {
  /** How long the handler may run, milliseconds by the clock of the kit. Default: what the capability says. */
  readonly timeoutMs?: number;
  /** The same key and input run once. */
  readonly idempotencyKey?: string;
  /** Whether it may wait for a node that is offline. */
  readonly queue?: boolean;
}

/** How a request ended. */
export interface Outcome extends DispatchOutcome {
  readonly id: string;
  /** What the handler sent as progress, in order. */
  readonly progress: readonly unknown[];
  /** What became known of it after it had ended as `outcome_unknown`. */
  readonly resolution?: DispatchOutcome;
}

interface KitCallPorts {
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  record(): Promise<DispatchRecord>;
  cancel(reason: string): Promise<void>;
}

/** A request that is under way. */
export class KitCall {
  readonly id: string;
  /** What the handler has sent as progress so far. */
  readonly progress: unknown[] = [];
  readonly #ports: KitCallPorts;
  #starts = 0;

  constructor(id: string, ports: KitCallPorts) {
    this.id = id;
    this.#ports = ports;
  }

  /** How often its handler was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Waits until its handler runs. */
  running(): Promise<void> {
    return this.#ports.until(() => this.#starts > 0);
  }

  /** The record of it as the daemon has it. */
  record(): Promise<DispatchRecord> {
    return this.#ports.record();
  }

  /** Asks for it to be stopped, as an operator. */
  cancel(reason = 'test'): Promise<void> {
    return this.#ports.cancel(reason);
  }

  /** Waits until it has ended. Time stands still meanwhile. */
  async ended(): Promise<Outcome> {
    let record = await this.#ports.record();
    await this.#ports.until(async () => {
      record = await this.#ports.record();
      return isTerminal(record.state);
    });
    const { id, outcome, resolution } = record;
    return {
      ...(outcome ?? { state: 'outcome_unknown' }),
      id,
      progress: [...this.progress],
      ...(resolution === undefined ? {} : { resolution }),
    };
  }

  /** For the kit. */
  noteRunning(): void {
    this.#starts += 1;
  }
}
