/** The addresses of the actors, and which events each takes: a send that does not fit does not compile. */
import type { EventObject } from 'xstate';
import { type Address, type AddressOf, address, type EventOf } from '../kernel/address.js';
import type { CrowdEvent } from '../kernel/crowd.js';
import type { Directory } from '../kernel/directory.js';
import type { AuthorityEvent } from './authority/events.js';
import type { DispatchInput } from './dispatch/behaviour.js';
import type { DispatchEvent } from './dispatch/events.js';
import type { ExecutionEvent } from './execution/events.js';
import type { ExecutionInput } from './execution/machine.js';
import type { FanoutInput } from './fanout/behaviour.js';
import type { FanoutEvent } from './fanout/events.js';
import type { MediationEvent } from './mediation/events.js';
import type { MediationInput } from './mediation/machine.js';
import type { PairingInput } from './pairing/behaviour.js';
import type { PairingEvent } from './pairing/events.js';
import type { PluginProcessPorts } from './plugin-process/behaviour.js';
import type { PluginProcessEvent } from './plugin-process/events.js';
import type { PruningEvent } from './pruning/events.js';
import type { RenewalEvent } from './renewal/events.js';
import type { SessionEvent, SessionInput } from './session/machine.js';
import type { UplinkEvent } from './uplink/events.js';

export const crowds = {
  sessions: addressOf<CrowdEvent>('sessions'),
  pairings: addressOf<CrowdEvent>('pairings'),
  dispatches: addressOf<CrowdEvent>('dispatches'),
  fanouts: addressOf<CrowdEvent>('fanouts'),
  executions: addressOf<CrowdEvent>('executions'),
  mediations: addressOf<CrowdEvent>('mediations'),
  plugins: addressOf<CrowdEvent>('plugins'),
} as const;

/** The parts of the daemon that there is one of. */
export const daemonParts = {
  authority: addressOf<AuthorityEvent>('authority'),
  pruning: addressOf<PruningEvent>('pruning'),
} as const;

/** The parts of the node host that there is one of. */
export const nodeParts = {
  uplink: addressOf<UplinkEvent>('uplink'),
  renewal: addressOf<RenewalEvent>('renewal'),
} as const;

export const sessionAddress = (deviceId: string) => addressOf<SessionEvent>('session', deviceId);
export const pairingAddress = (id: string) => addressOf<PairingEvent>('pairing', id);
export const dispatchAddress = (id: string) => addressOf<DispatchEvent>('dispatch', id);
export const fanoutAddress = (id: string) => addressOf<FanoutEvent>('fanout', id);
export const executionAddress = (id: string) => addressOf<ExecutionEvent>('execution', id);
export const mediationAddress = (id: string) => addressOf<MediationEvent>('mediation', id);
export const pluginProcessAddress = (key: string) => addressOf<PluginProcessEvent>('plugin', key);

function addressOf<E extends EventObject>(kind: string, name?: string): AddressOf<E> {
  return address(kind, name) as AddressOf<E>;
}

/**
 * Sends to an actor that may have ended in the meantime, which is no fault. Returns whether it took the event; an event
 * that must not get lost silently goes through `directory.send`, where a miss is a dead letter.
 */
function sendIfThere<A extends Address>(directory: Directory, target: A, event: EventOf<A>): boolean {
  return directory.has(target) && directory.send(target, event);
}

export function sendToSession(directory: Directory, deviceId: string, event: SessionEvent): boolean {
  return sendIfThere(directory, sessionAddress(deviceId), event);
}

export function sendToDispatch(directory: Directory, id: string, event: DispatchEvent): boolean {
  return sendIfThere(directory, dispatchAddress(id), event);
}

export function sendToFanout(directory: Directory, id: string, event: FanoutEvent): boolean {
  return sendIfThere(directory, fanoutAddress(id), event);
}

export function sendToPairing(directory: Directory, id: string, event: PairingEvent): boolean {
  return sendIfThere(directory, pairingAddress(id), event);
}

export function sendToExecution(directory: Directory, dispatchId: string, event: ExecutionEvent): boolean {
  return sendIfThere(directory, executionAddress(dispatchId), event);
}

export function sendToMediation(directory: Directory, dispatchId: string, event: MediationEvent): boolean {
  return sendIfThere(directory, mediationAddress(dispatchId), event);
}

export function sendToPluginProcess(directory: Directory, key: string, event: PluginProcessEvent): boolean {
  return sendIfThere(directory, pluginProcessAddress(key), event);
}

export function sendToAuthority(directory: Directory, event: AuthorityEvent): boolean {
  return sendIfThere(directory, daemonParts.authority, event);
}

export function sendToUplink(directory: Directory, event: UplinkEvent): boolean {
  return sendIfThere(directory, nodeParts.uplink, event);
}

export function sendToRenewal(directory: Directory, event: RenewalEvent): boolean {
  return sendIfThere(directory, nodeParts.renewal, event);
}

/** What a member of each crowd starts from. */
interface Members {
  readonly sessions: SessionInput;
  readonly pairings: PairingInput;
  readonly dispatches: DispatchInput;
  readonly fanouts: FanoutInput;
  readonly executions: ExecutionInput;
  readonly mediations: MediationInput;
  readonly plugins: { readonly ports: PluginProcessPorts };
}

/** Starts a member of a crowd; it can be reached when this returns. False is a dead letter: the crowd is not there. */
export function startMember<K extends keyof Members>(
  directory: Directory,
  crowd: K,
  key: string,
  input: Members[K],
): boolean {
  const target: AddressOf<CrowdEvent> = crowds[crowd];
  return directory.send(target, { type: 'crowd.start', key, input });
}
