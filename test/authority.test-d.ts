import type { ActorRefFrom } from 'xstate';
import { dispatchAddress, pairingAddress, sendToDispatch, sendToPairing } from '../src/actors/addresses.js';
import type { DeviceEvent } from '../src/actors/device/events.js';
import type { decideDevice } from '../src/actors/device/machine.js';
import type { DispatchEvent } from '../src/actors/dispatch/events.js';
import type { dispatchMachine } from '../src/actors/dispatch/machine.js';
import type { PairingEvent, PairingReply } from '../src/actors/pairing/events.js';
import type { pairingMachine } from '../src/actors/pairing/machine.js';
import type { PairingRecord } from '../src/actors/pairing/record.js';
import {
  type CallerIdentity,
  holdsRole,
  type Senders,
  type VerifiedCaller,
} from '../src/kernel/authority.js';
import type { Directory } from '../src/kernel/directory.js';

/*
 * What must not compile. `npm run check` reads this file and refuses each `@ts-expect-error` whose next line is fine, so an
 * event that could be sent without the caller that it needs would fail there. Nothing here is run.
 */

declare const directory: Directory;
declare const verified: VerifiedCaller;
declare const identity: CallerIdentity;
declare const reply: PairingReply;
declare const pairing: ActorRefFrom<typeof pairingMachine>;
declare const dispatch: ActorRefFrom<typeof dispatchMachine>;
declare const decide: typeof decideDevice;

export function aCallerIsProvenNotWritten(): void {
  const takes = (_caller: VerifiedCaller): void => {};
  takes(verified);
  // @ts-expect-error An identity that nobody has proven.
  takes(identity);
  // @ts-expect-error A literal.
  takes({ kind: 'operator', name: 'ada', role: 'admin' });
  // @ts-expect-error A copy of a proven one, with another role.
  takes({ ...verified, kind: 'operator', name: 'ada', role: 'admin' });
  // @ts-expect-error Any copy.
  takes({ ...verified });
  // @ts-expect-error Nobody.
  takes(undefined);
  // @ts-expect-error Roles are asked of proven callers only.
  holdsRole({ kind: 'operator', name: 'ada', role: 'admin' }, 'viewer');
}

const decision = { transcript: 't', reason: 'r', reply } as const;
const literal = { kind: 'operator', name: 'ada', role: 'admin' } as const;

export function aPairingIsDecidedByAVerifiedCaller(): void {
  sendToPairing(directory, 'p', { type: 'approve', caller: verified, name: 'lab', ...decision });
  // @ts-expect-error Without a caller.
  sendToPairing(directory, 'p', { type: 'approve', name: 'lab', ...decision });
  // @ts-expect-error With a literal one.
  sendToPairing(directory, 'p', { type: 'approve', caller: literal, name: 'lab', ...decision });
  // @ts-expect-error Without a caller.
  sendToPairing(directory, 'p', { type: 'reject', ...decision });
  // @ts-expect-error Without the device that it is about.
  sendToPairing(directory, 'p', { type: 'confirm', reply });

  directory.send(pairingAddress('p'), { type: 'reject', caller: verified, ...decision });
  // @ts-expect-error The directory knows what a pairing takes.
  directory.send(pairingAddress('p'), { type: 'reject', ...decision });
  // @ts-expect-error And what it does not.
  directory.send(pairingAddress('p'), { type: 'cancel', caller: verified, reason: 'r' });
  void directory.ask(
    pairingAddress('p'),
    // @ts-expect-error Nor is it asked to without a caller.
    (answer: PairingReply) => ({ type: 'reject', transcript: 't', reason: 'r', reply: answer }),
    { timeoutMs: 1 },
  );
  void directory.ask<PairingRecord, ReturnType<typeof pairingAddress>>(
    pairingAddress('p'),
    (answer) => ({ type: 'reject', caller: verified, transcript: 't', reason: 'r', reply: answer }),
    { timeoutMs: 1 },
  );

  pairing.send({ type: 'approve', caller: verified, name: 'lab', ...decision });
  // @ts-expect-error Nor does its machine take one without a caller.
  pairing.send({ type: 'approve', name: 'lab', ...decision });
  // @ts-expect-error
  const event: PairingEvent = { type: 'approve', caller: literal, name: 'lab', ...decision };
  void event;
}

export function aDispatchIsCancelledByAVerifiedCaller(): void {
  sendToDispatch(directory, 'd', { type: 'cancel', caller: verified, reason: 'r' });
  // @ts-expect-error Without a caller.
  sendToDispatch(directory, 'd', { type: 'cancel', reason: 'r' });
  // @ts-expect-error With a literal one.
  sendToDispatch(directory, 'd', { type: 'cancel', caller: literal, reason: 'r' });
  // @ts-expect-error The directory knows what a dispatch takes.
  directory.send(dispatchAddress('d'), { type: 'cancel', reason: 'r' });
  // @ts-expect-error Nor does its machine take one without a caller.
  dispatch.send({ type: 'cancel', reason: 'r' });
  // @ts-expect-error
  const event: DispatchEvent = { type: 'cancel', caller: identity, reason: 'r' };
  void event;
}

export function aDeviceIsDecidedAboutByAVerifiedCaller(): void {
  decide('id', undefined, { type: 'revoke', caller: verified, reason: 'r' }, 0);
  // @ts-expect-error Without a caller.
  decide('id', undefined, { type: 'revoke', reason: 'r' }, 0);
  // @ts-expect-error With a literal one.
  decide('id', undefined, { type: 'lift', caller: literal, reason: 'r' }, 0);
  // @ts-expect-error
  const event: DeviceEvent = { type: 'ban', reason: 'r' };
  void event;
}

/** What carries a caller has to say what that caller must be; what doesn't, can't ask for one. */
export function aTableOfSendersFitsItsEvents(): void {
  type Event = { type: 'open'; caller: VerifiedCaller } | { type: 'tick' };
  const right = { open: { role: 'admin' }, tick: { from: 'its deadline' } } as const satisfies Senders<Event>;
  const unguarded = {
    // @ts-expect-error Whoever opens it needs permission.
    open: { from: 'anybody' },
    tick: { from: 'its deadline' },
  } as const satisfies Senders<Event>;
  const unproven = {
    open: { role: 'admin' },
    // @ts-expect-error Nobody could be asked for the role.
    tick: { role: 'admin' },
  } as const satisfies Senders<Event>;
  // @ts-expect-error Every event is in it.
  const partial = { open: { role: 'admin' } } as const satisfies Senders<Event>;
  void [right, unguarded, unproven, partial];
}
