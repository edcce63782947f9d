import type { AnyActorRef } from 'xstate';
import { type ActorReport, reportOn } from './actor-report.js';
import type { Address, EventOf } from './address.js';
import type { Clock } from './clock.js';
import { DeadLetters } from './dead-letters.js';
import type { Deadlines } from './deadlines.js';
import { type AppError, toAppError } from './errors.js';
import { isRunning } from './gone.js';
import { kernelError } from './kernel-errors.js';
import type { DownReason } from './lifecycle.js';
import { type KernelLog, neverThrowing } from './log.js';
import type { TransitionLog } from './transition-log.js';

/** What an asked actor answers with. Only the first answer counts. */
export interface Reply<T> {
  resolve(value: T): void;
  reject(error: AppError): void;
}

/** How long to wait for an answer, in milliseconds, and who asks. */
export interface AskOptions {
  readonly timeoutMs: number;
  readonly from?: Address;
}

interface Watch {
  readonly onDown: (reason: DownReason) => void;
}

/**
 * Who can be reached under which address. All sends between supervised actors go through here by address, so that this
 * is the one place that has to learn when an actor may live in another process.
 *
 * @example
 * directory.send(address('session', deviceId), { type: 'drain' }); // false: a dead letter
 * const status = await directory.ask<Status>(address('sessions'), (reply) => ({ type: 'status', reply }), { timeoutMs: 1_000 });
 */
export class Directory {
  /** The events that reached nobody. */
  readonly deadLetters: DeadLetters;
  readonly #deadlines: Deadlines;
  readonly #transitions: TransitionLog;
  readonly #log: KernelLog;
  readonly #actors = new Map<Address, AnyActorRef>();
  readonly #watches = new Map<Address, Set<Watch>>();

  constructor(clock: Clock, deadlines: Deadlines, transitions: TransitionLog, log: KernelLog) {
    this.#log = neverThrowing(log);
    this.deadLetters = new DeadLetters(clock, this.#log);
    this.#deadlines = deadlines;
    this.#transitions = transitions;
  }

  /**
   * Gives an actor of this process an address. Supervisors do it for their children, before they start them.
   *
   * @throws AppError `kernel.address_taken` when another actor holds the address.
   */
  register(address: Address, ref: AnyActorRef): void {
    const holder = this.#actors.get(address);
    if (holder !== undefined && holder !== ref) {
      throw kernelError('address_taken', `The address ${address} belongs to the running actor ${holder.id}`, {
        hint: 'Give each actor its own address, or stop the other one first',
        details: { address, holder: holder.id },
      });
    }
    this.#actors.set(address, ref);
  }

  /**
   * Takes the address back and tells those who watch it. Does nothing when the address belongs to another actor by now.
   *
   * @param reason how the actor ended. Default: stopped.
   */
  unregister(address: Address, ref: AnyActorRef, reason: DownReason = { kind: 'stopped' }): void {
    if (this.#actors.get(address) !== ref) return;
    this.#actors.delete(address);
    if (this.#watches.size === 0) return;
    const watches = this.#watches.get(address);
    if (!watches) return;
    this.#watches.delete(address);
    for (const watch of watches) this.#tell(address, watch, reason);
  }

  /** Whether an actor holds the address and has not ended. */
  has(address: Address): boolean {
    const ref = this.#actors.get(address);
    return ref !== undefined && isRunning(ref);
  }

  /** Looks at an actor from outside; undefined when nobody holds the address, or it has ended. */
  async inspect(address: Address): Promise<ActorReport | undefined> {
    const ref = this.#actors.get(address);
    return ref && reportOn(ref, this.#deadlines, this.#transitions);
  }

  /** The addresses in use, in the order of their registration; those that start with `prefix` if one is given. */
  addresses(prefix = ''): readonly Address[] {
    return [...this.#actors.keys()].filter((address) => address.startsWith(prefix));
  }

  /**
   * Sends an event. Delivery is at most once, and in order between two actors.
   *
   * @param from who sends it, for dead letters.
   * @returns false when it reached nobody and became a dead letter.
   */
  send<A extends Address>(address: A, event: EventOf<A>, from?: Address): boolean {
    const ref = this.#actors.get(address);
    if (ref === undefined) {
      this.deadLetters.add(address, event.type, 'no_such_actor', from);
      return false;
    }
    if (!isRunning(ref)) {
      this.deadLetters.add(address, event.type, 'actor_ended', from);
      return false;
    }
    ref.send(event);
    return true;
  }

  /**
   * Sends an event that carries a way to answer, and waits for the answer.
   *
   * @throws AppError `kernel.no_such_actor` when nobody holds the address, `kernel.actor_down` when the actor ends
   *   first, `kernel.ask_timeout` after `timeoutMs`, or what the actor rejects with.
   */
  ask<T, A extends Address = Address>(
    address: A,
    event: (reply: Reply<T>) => EventOf<A>,
    options: AskOptions,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const question = {};
      let isAnswered = false;
      let unwatch: (() => void) | undefined;
      const settle = (): void => {
        isAnswered = true;
        this.#deadlines.release(question);
        unwatch?.();
      };
      const fail = (error: AppError): void => {
        settle();
        reject(error);
      };
      const asked = event({
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: fail,
      });
      // By whoever made the event: then nobody needs to be asked.
      if (isAnswered) return;
      const onTimeout = (): void =>
        fail(
          kernelError(
            'ask_timeout',
            `${address} did not answer ${asked.type} within ${options.timeoutMs} ms`,
            {
              hint: 'Ask again, or look at what it waits for',
              details: { address, event: asked.type, timeoutMs: options.timeoutMs },
            },
          ),
        );
      this.#deadlines.set(question, options.timeoutMs, onTimeout, { label: 'ask' });
      unwatch = this.#watchLive(address, (reason) => fail(downError(address, asked.type, reason)));
      if (!this.send(address, asked, options.from)) {
        fail(
          kernelError('no_such_actor', `Nobody is at ${address} to answer ${asked.type}`, {
            hint: 'Check the address; the actor may have ended or not be started yet',
            details: { address, event: asked.type },
          }),
        );
      }
    });
  }

  /**
   * Calls `onDown` once when the actor that holds the address now ends; in the next turn, when there is none. What
   * throws there is logged. A restarted actor has to be watched again.
   *
   * @returns ends the watch.
   */
  watch(address: Address, onDown: (reason: DownReason) => void): () => void {
    if (this.has(address)) return this.#watchLive(address, onDown);
    const watch: Watch = { onDown };
    let cancelled = false;
    // Not at once: the caller has not got its way to end the watch yet.
    queueMicrotask(() => {
      if (!cancelled) this.#tell(address, watch, { kind: 'absent' });
    });
    return () => {
      cancelled = true;
    };
  }

  #watchLive(address: Address, onDown: (reason: DownReason) => void): () => void {
    const watch: Watch = { onDown };
    let watches = this.#watches.get(address);
    if (!watches) {
      watches = new Set();
      this.#watches.set(address, watches);
    }
    const own = watches;
    own.add(watch);
    return () => {
      own.delete(watch);
      if (own.size === 0 && this.#watches.get(address) === own) this.#watches.delete(address);
    };
  }

  #tell(address: Address, watch: Watch, reason: DownReason): void {
    try {
      watch.onDown(reason);
    } catch (error) {
      this.#log.error({ err: error, address }, 'A death watch threw');
    }
  }
}

function downError(address: Address, eventType: string, reason: DownReason): AppError {
  return kernelError('actor_down', `${address} ended (${reason.kind}) before it answered ${eventType}`, {
    hint: 'Ask again: its supervisor may have started it anew',
    details: { address, event: eventType, reason: reason.kind },
    ...(reason.kind === 'crashed' ? { cause: toAppError(reason.error) } : {}),
  });
}
