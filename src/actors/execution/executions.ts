import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import { toAppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import { sendToExecution, startMember } from '../addresses.js';
import { nodeError } from '../errors.js';
import type { FrameBatch } from '../link/batch.js';
import type { CancelOrder, DispatchOrder, InFlight, NodeFrame, NodeResult } from '../link/frames.js';
import type { Permission } from '../mediation/permission.js';
import type { ExecutionJournal } from './journal.js';
import type { ExecutionInput, ExecutionPorts } from './machine.js';
import { ProgressOutbox } from './progress-outbox.js';

/** What the node host brings: its plugins, its owner, its rules. */
export interface ExecutionHost {
  refusal: ExecutionPorts['refusal'];
  needsMediation: ExecutionPorts['needsMediation'];
  mediate: ExecutionPorts['mediate'];
  run(
    order: DispatchOrder,
    signal: AbortSignal,
    deadline: number,
    /** What lets it run where the person at the node is to be asked. */
    permission: Permission | undefined,
    progress: (value: Uint8Array, skipped?: number) => void,
  ): Promise<Uint8Array>;
}

export interface ExecutionsOptions {
  readonly directory: Directory;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly journal: ExecutionJournal;
  readonly host: ExecutionHost;
  /** An execution has ended here, whatever becomes of its result. */
  ran(order: DispatchOrder, result: NodeResult): void;
  /** The journal can't be written: the host must stop, or it could start work twice. */
  failed(error: unknown): void;
}

/** What `sequence` of DispatchProgress holds. */
const highestSequence = 2 ** 32 - 1;

interface Running {
  readonly order: DispatchOrder;
  phase: 'received' | 'started';
  isTold: boolean;
  /** The number of its latest progress value. */
  progress: number;
  /** For the person at the node. */
  waits: boolean;
}

/**
 * Everything that the node has taken on: running executions, and results until the daemon has them on its disk. It drops
 * duplicates, so that an order that comes twice is never started twice by one host.
 */
export class Executions {
  readonly #options: ExecutionsOptions;
  readonly #running = new Map<string, Running>();
  readonly #progress = new ProgressOutbox();
  readonly #unsettled = new Map<string, NodeResult>();
  readonly #interrupted = new Set<string>();
  readonly #cancelled = new Set<string>();
  #out: FrameBatch<NodeFrame> | undefined;
  #daemonNow: () => number;
  readonly #ports: ExecutionPorts;

  private constructor(options: ExecutionsOptions) {
    this.#options = options;
    this.#daemonNow = () => options.clock.now();
    const { host, deadlines, clock } = options;
    this.#ports = {
      deadlines,
      clock,
      daemonNow: () => this.#daemonNow(),
      refusal: (order) => host.refusal(order),
      needsMediation: (order) => host.needsMediation(order),
      mediate: (order, limitMs, signal, asker) => host.mediate(order, limitMs, signal, asker),
      mediationChanged: (order, waiting) => this.#mediationChanged(order, waiting),
      journalStart: (order, done) => this.#write(order.dispatchId, { phase: 'started' }, done),
      started: (order) => this.#started(order),
      run: (order, signal, deadline, permission) =>
        host.run(order, signal, deadline, permission, (value, skipped) =>
          this.#progressed(order, value, skipped),
        ),
      finished: (order, result) => this.#finished(order, result),
    };
  }

  /** Reads the journal: what had started and not finished when the host died has an unknown outcome. */
  static async open(options: ExecutionsOptions): Promise<Executions> {
    const executions = new Executions(options);
    for (const [id, entry] of await options.journal.load()) {
      if (entry.phase === 'finished') executions.#unsettled.set(id, entry.result);
      else if (entry.phase === 'cancelled') executions.#cancelled.add(id);
      else {
        executions.#interrupted.add(id);
        executions.#unsettled.set(id, interruptedResult(id));
      }
    }
    return executions;
  }

  /** What Hello says. */
  inFlight(): readonly InFlight[] {
    const all: InFlight[] = [];
    for (const [dispatchId, { phase }] of this.#running) all.push({ dispatchId, phase });
    for (const dispatchId of this.#unsettled.keys()) {
      all.push({ dispatchId, phase: this.#interrupted.has(dispatchId) ? 'interrupted' : 'finished' });
    }
    for (const dispatchId of this.#cancelled) all.push({ dispatchId, phase: 'cancelled' });
    return all;
  }

  /** How many are running. */
  get running(): number {
    return this.#running.size;
  }

  /** A session is live: results that the daemon does not have yet go out again, and so does what waits for a person. */
  attach(out: FrameBatch<NodeFrame>, daemonNow: () => number): void {
    this.#out = out;
    this.#daemonNow = daemonNow;
    for (const result of this.#unsettled.values()) out.push('results', result);
    for (const [dispatchId, { waits }] of this.#running) {
      if (waits) out.push('mediation', { dispatchId, waiting: true });
    }
    this.#progress.attach(out);
  }

  /** The session is gone. What runs goes on; its results wait. */
  detach(): void {
    this.#out = undefined;
    this.#progress.detach();
  }

  /** Takes an order. `age` is how long its frame was on the way, milliseconds. */
  receive(order: DispatchOrder, age: number): void {
    const { dispatchId } = order;
    if (this.#running.has(dispatchId)) return;
    const known = this.#unsettled.get(dispatchId);
    if (known) {
      this.#out?.push('results', known);
      return;
    }
    if (this.#cancelled.has(dispatchId)) {
      this.#out?.push('results', cancelledResult(dispatchId));
      return;
    }
    this.#running.set(dispatchId, { phase: 'received', order, isTold: false, progress: 0, waits: false });
    const input: ExecutionInput = { ports: this.#ports, order, age };
    startMember(this.#options.directory, 'executions', dispatchId, input);
  }

  cancel({ dispatchId, reason }: CancelOrder): void {
    if (this.#running.has(dispatchId)) {
      // One that has just ended and is being journaled has no actor any more; its result follows all the same.
      sendToExecution(this.#options.directory, dispatchId, { type: 'cancel', reason });
      this.#out?.push('cancelOutcomes', { dispatchId, outcome: 'stopping' });
      return;
    }
    const known = this.#unsettled.get(dispatchId);
    if (known) {
      this.#out?.push('cancelOutcomes', { dispatchId, outcome: 'already_finished' });
      this.#out?.push('results', known);
      return;
    }
    this.#cancelled.add(dispatchId);
    this.#write(dispatchId, { phase: 'cancelled' }, () =>
      this.#out?.push('cancelOutcomes', { dispatchId, outcome: 'not_known' }),
    );
  }

  /** Tells everything that runs to stop. What came of it waits until the daemon takes it. */
  stop(reason: string): void {
    for (const dispatchId of this.#running.keys()) {
      sendToExecution(this.#options.directory, dispatchId, { type: 'cancel', reason });
    }
  }

  /** The daemon has these on its disk. */
  settled(dispatchIds: readonly string[]): void {
    for (const id of dispatchIds) {
      this.#unsettled.delete(id);
      this.#interrupted.delete(id);
      this.#cancelled.delete(id);
      this.#options.journal.forget(id).catch((error: unknown) => this.#options.failed(error));
    }
  }

  /** The actor of an execution crashed. */
  abandon(dispatchId: string, error: unknown): void {
    const entry = this.#running.get(dispatchId);
    if (!entry) return;
    const result: NodeResult = {
      dispatchId,
      outcome: entry.phase === 'started' ? 'unknown' : 'failed',
      reason: 'crashed',
      output: new Uint8Array(0),
      error: toAppError(error).toEnvelope(),
      durationMs: 0,
      started: entry.phase === 'started',
    };
    this.#finished(entry.order, result);
  }

  #mediationChanged({ dispatchId }: DispatchOrder, waiting: boolean): void {
    const entry = this.#running.get(dispatchId);
    if (!entry || entry.waits === waiting) return;
    entry.waits = waiting;
    this.#out?.push('mediation', { dispatchId, waiting });
  }

  #started({ dispatchId }: DispatchOrder): void {
    const entry = this.#running.get(dispatchId);
    if (!entry) return;
    entry.phase = 'started';
    // A handler that ends within this turn tells its result in the same frame; then "started" would say nothing.
    setImmediate(() => this.#tellStarted(dispatchId, entry));
  }

  #tellStarted(dispatchId: string, entry: Running): void {
    if (entry.isTold || this.#running.get(dispatchId) !== entry) return;
    entry.isTold = true;
    this.#out?.push('started', dispatchId);
  }

  #progressed({ dispatchId }: DispatchOrder, value: Uint8Array, skipped = 0): void {
    const entry = this.#running.get(dispatchId);
    if (!entry) return;
    this.#tellStarted(dispatchId, entry);
    entry.progress = Math.min(entry.progress + skipped + 1, highestSequence);
    this.#progress.add({ dispatchId, sequence: entry.progress, value });
  }

  #finished(order: DispatchOrder, result: NodeResult): void {
    const tell = (): void => {
      this.#running.delete(order.dispatchId);
      this.#progress.end(order.dispatchId);
      this.#unsettled.set(order.dispatchId, result);
      this.#out?.push('results', result);
      this.#options.ran(order, result);
    };
    // Without its end, what the journal has as started would be unknown after a crash, also where the handler never ran.
    if (!this.#options.journal.holds(order.dispatchId)) tell();
    else this.#write(order.dispatchId, { phase: 'finished', result }, tell);
  }

  #write(dispatchId: string, entry: Parameters<ExecutionJournal['write']>[1], done: () => void): void {
    const { journal, clock, failed } = this.#options;
    journal.write(dispatchId, entry, clock.now()).then(done, failed);
  }
}

function interruptedResult(dispatchId: string): NodeResult {
  const error = nodeError(
    'interrupted',
    'The node host died while the handler ran; nobody knows how far it came',
  );
  return {
    ...cancelledResult(dispatchId),
    outcome: 'unknown',
    reason: 'interrupted',
    error: error.toEnvelope(),
    started: true,
  };
}

function cancelledResult(dispatchId: string): NodeResult {
  const error = nodeError('cancelled', 'It was cancelled before it came');
  return {
    dispatchId,
    outcome: 'cancelled',
    reason: '',
    output: new Uint8Array(0),
    error: error.toEnvelope(),
    durationMs: 0,
    started: false,
  };
}
