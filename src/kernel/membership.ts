import { type ActorScope, type AnyActorLogic, type AnyActorRef, createActor, type EventObject } from 'xstate';
import type { Address } from './address.js';
import type { CrowdEvent, CrowdOptions, CrowdSnapshot } from './crowd.js';
import type { AppError } from './errors.js';
import { isRunning, leave, whenGone } from './gone.js';
import type { Kernel } from './kernel.js';
import { kernelError } from './kernel-errors.js';
import {
  type Ending,
  endedChild,
  endingOf,
  isSettled,
  lastEnding,
  type ShutdownEvent,
  stopOrphans,
} from './lifecycle.js';

type Scope = ActorScope<CrowdSnapshot, EventObject>;

type OwnEvent =
  | { readonly type: 'crowd.stop_overdue'; readonly member: Member }
  | { readonly type: 'crowd.shutdown_overdue' };

interface Member {
  readonly key: string;
  readonly address: Address;
  readonly ref: AnyActorRef;
  readonly revived: boolean;
  /** Whether it was told to end. Once is enough. */
  asked: boolean;
}

/** The state of one crowd actor: what `crowd()` does with each event. */
export class Membership {
  readonly members = new Map<string, Member>();
  readonly #options: CrowdOptions;
  readonly #kernel: Kernel;
  readonly #logic: AnyActorLogic;
  readonly #scope: Scope;
  #incarnations = 0;
  #stopping = false;

  constructor(options: CrowdOptions, logic: AnyActorLogic, scope: Scope) {
    this.#options = options;
    this.#kernel = options.kernel;
    this.#logic = logic;
    this.#scope = scope;
  }

  /** Returns whether the crowd goes on. */
  receive(event: EventObject): boolean {
    const ended = endedChild(event);
    if (ended !== undefined) this.#onSignal(ended, event);
    else this.#onEvent(event as CrowdEvent | ShutdownEvent | OwnEvent);
    return !(this.#stopping && this.members.size === 0);
  }

  #onEvent(event: CrowdEvent | ShutdownEvent | OwnEvent): void {
    switch (event.type) {
      case 'crowd.start':
        this.#onStart(event.key, event.input);
        return;
      case 'crowd.stop':
        this.#onStop(event.key, event.reason ?? 'stopped');
        return;
      case 'kernel.shutdown':
        this.#onShutdown(event.reason);
        return;
      case 'crowd.stop_overdue':
        if (this.members.get(event.member.key) === event.member) this.#force(event.member);
        return;
      case 'crowd.shutdown_overdue':
        this.#kernel.log.warn(
          { crowd: this.#options.name, left: this.members.size, limitMs: this.#options.shutdownMs },
          'Members did not end within the shutdown limit and were stopped',
        );
        for (const member of this.members.values()) this.#force(member);
        return;
      default:
        this.#kernel.log.warn(
          { crowd: this.#options.name, event: (event as EventObject).type },
          'A crowd got an event that it does not know',
        );
    }
  }

  /** Stops everything now, because this crowd ends. */
  stopAll(): void {
    for (const member of this.members.values()) {
      this.#force(member);
      // Its signal will find nobody.
      whenGone(member.ref, () => this.#remove(member, lastEnding(member.ref)));
      leave(this.#scope.self, [member.ref]);
    }
    this.#kernel.deadlines.release(this.#scope.self);
  }

  #onStart(key: string, input: unknown): void {
    const { name, capacity = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#stopping) {
      this.#refuse(key, kernelError('crowd_stopping', `${name} are stopping; '${key}' was not started`));
    } else if (this.members.has(key)) {
      this.#refuse(
        key,
        kernelError('duplicate_key', `${name} have a running member '${key}' already; it goes on`, {
          hint: 'Send to its address, or stop it first',
        }),
      );
    } else if (this.members.size >= capacity) {
      this.#refuse(
        key,
        kernelError('crowd_full', `${name} are at their capacity of ${capacity}; '${key}' was not started`, {
          hint: 'Try again when some have ended',
        }),
      );
    } else this.#spawn(key, input, false);
  }

  #refuse(key: string, error: AppError): void {
    this.#kernel.log.error({ crowd: this.#options.name, key, err: error }, 'A member was not started');
    try {
      this.#kernel.directory.deadLetters.add(this.#options.address(key), 'crowd.start', 'refused');
    } catch (cause) {
      this.#kernel.log.error({ crowd: this.#options.name, key, err: cause }, 'A member has no valid address');
    }
  }

  #spawn(key: string, input: unknown, revived: boolean): void {
    this.#incarnations += 1;
    let member: Member;
    try {
      const ref: AnyActorRef = createActor(this.#logic, {
        parent: this.#scope.self,
        id: `${key}#${this.#incarnations}`,
        input,
      });
      member = { key, address: this.#options.address(key), ref, revived, asked: false };
      this.#kernel.directory.register(member.address, ref);
    } catch (error) {
      this.#onCrash(key, error, revived);
      return;
    }
    this.members.set(key, member);
    member.ref.start();
  }

  #onSignal(actorId: string, event: EventObject): void {
    const member = this.members.get(actorId.slice(0, actorId.lastIndexOf('#')));
    if (member?.ref.id !== actorId || !isSettled(member.ref, event, this.#scope.self)) return;
    const ending = endingOf(event);
    this.#remove(member, ending);
    if (ending.kind !== 'crashed') return;
    // One that was told to end is not started again only because it failed at that.
    this.#onCrash(member.key, ending.error, member.revived || member.asked);
  }

  #onCrash(key: string, error: unknown, isLast: boolean): void {
    const { name, revive, abandon } = this.#options;
    this.#kernel.log.error({ crowd: name, key, err: error, isLast }, 'A member crashed');
    // Its record stands; it will be started from there when the crowd is.
    if (this.#stopping) return;
    if (revive && !isLast) {
      try {
        const input = revive(key, error);
        if (input !== undefined) {
          this.#spawn(key, input, true);
          return;
        }
      } catch (failure) {
        this.#kernel.log.error({ crowd: name, key, err: failure }, 'Reviving a member threw');
      }
    }
    try {
      abandon?.(key, error);
    } catch (failure) {
      this.#kernel.log.error({ crowd: name, key, err: failure }, 'Abandoning a member threw');
    }
  }

  #onStop(key: string, reason: string): void {
    const member = this.members.get(key);
    if (!member || member.asked) return;
    this.#limit(member.ref, 'stop', { type: 'crowd.stop_overdue', member });
    this.#ask(member, reason);
  }

  #ask(member: Member, reason: string): void {
    if (member.asked || !isRunning(member.ref)) return;
    member.asked = true;
    member.ref.send({ type: 'kernel.shutdown', reason } satisfies ShutdownEvent);
  }

  #limit(owner: AnyActorRef, label: string, event: OwnEvent): void {
    const { shutdownMs } = this.#options;
    if (!Number.isFinite(shutdownMs)) return;
    this.#kernel.deadlines.set(owner, shutdownMs, () => this.#send(event), { label });
  }

  #onShutdown(reason: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.members.size === 0) return;
    const label = `shut ${this.#options.name} down`;
    this.#limit(this.#scope.self, label, { type: 'crowd.shutdown_overdue' });
    for (const member of this.members.values()) this.#ask(member, reason);
  }

  /** Its signal, which may be on its way already, removes it. */
  #force({ ref }: Member): void {
    if (isRunning(ref)) this.#scope.stopChild(ref);
    else stopOrphans(ref);
  }

  #remove(member: Member, ending: Ending): void {
    this.members.delete(member.key);
    this.#kernel.deadlines.release(member.ref);
    this.#kernel.directory.unregister(member.address, member.ref, ending);
  }

  #send(event: OwnEvent): void {
    this.#scope.self.send(event);
  }
}
