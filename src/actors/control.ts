/**
 * What the control plane asks of the daemon: the one set of operations behind the HTTP API, and through it behind the
 * CLI and the console. Each takes the verified caller; the rules live in the actors behind it.
 */

import type { AcceptedEvent } from '../kernel/acceptance.js';
import type { VerifiedCaller } from '../kernel/authority.js';
import type { NextStep } from '../kernel/explain.js';
import type { JournalEntry } from '../kernel/journal.js';
import type { PluginStanding } from '../plugins/standing.js';
import type { CaEntry, Rotation } from './authority/record.js';
import type { CloneAction, CloneCase } from './clone/record.js';
import type {
  DeviceAlert,
  DeviceCertificate,
  DeviceDecision,
  DeviceState,
  HostFacts,
  RotationOrder,
  SurfaceApproval,
} from './device/record.js';
import type { DispatchRecord, DispatchState } from './dispatch/record.js';
import type { PageFilter } from './page.js';
import type { PairingCodeRecord, PairingCodeState, PairingRecord, PairingState } from './pairing/record.js';
import type { PluginControl } from './plugin-control.js';
import type { SurfaceState } from './surface/state.js';
import type { SurfaceControl } from './surface/view.js';

export interface MintCode {
  /** Milliseconds: 30 s to 24 h for a join string, to 15 min for a PIN. */
  readonly ttlMs?: number;
  readonly purpose?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface MintedCode {
  readonly id: string;
  readonly expiresAt: number;
  readonly enrollmentAddresses: readonly string[];
  /** True when only loopback addresses are advertised: another machine could not use the code. */
  readonly loopbackOnly: boolean;
}

export interface MintedJoinCode extends MintedCode {
  /** Shown once, here; not stored. */
  readonly joinString: string;
}

export interface MintedPin extends MintedCode {
  /** `<slot>-<PIN>`. Shown once, here; not stored. */
  readonly pin: string;
}

/** A proof that was wrong, or that is being compared at this moment. */
export interface WrongProof {
  readonly at: number;
  readonly address: string;
}

export interface PairingCodeView extends Omit<PairingCodeRecord, 'joinKey' | 'charges'> {
  readonly wrongProofs: readonly WrongProof[];
  /** The request that the code has led to. */
  readonly pairingId?: string;
}

export interface CodeFilter extends PageFilter {
  readonly states?: readonly PairingCodeState[];
}

/** Over all PINs. */
export interface PinPairingView {
  readonly locked: boolean;
  readonly lockedAt?: number;
  /** Those that count: of the last 24 hours, or since the lock was lifted. */
  readonly wrongProofs: readonly (WrongProof & { readonly codeId: string })[];
}

export interface CodeControl {
  /** @throws AppError `pairing.invalid_request`, `pairing.forbidden`. */
  mintJoin(caller: VerifiedCaller, options: MintCode): Promise<MintedJoinCode>;
  /** @throws AppError as for a join string, and `pairing.too_many_pins`, `pairing.pins_locked`. */
  mintPin(caller: VerifiedCaller, options: MintCode): Promise<MintedPin>;
  list(
    caller: VerifiedCaller,
    filter: CodeFilter,
  ): Promise<{ readonly codes: readonly PairingCodeView[]; readonly next?: string }>;
  /** @throws AppError `pairing.not_found`. */
  get(caller: VerifiedCaller, id: string): Promise<PairingCodeView>;
  /** @throws AppError `pairing.not_found`, `pairing.code_ended`, `pairing.forbidden`. */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<PairingCodeView>;
  pins(caller: VerifiedCaller): Promise<PinPairingView>;
  /** @throws AppError `pairing.forbidden`. */
  unlockPins(caller: VerifiedCaller, reason: string): Promise<PinPairingView>;
}

export interface PairingDecision {
  /** `transcript` of the pairing as the operator saw it (protocol.md 10). */
  readonly transcript: string;
  readonly reason?: string;
  /** Approval only: the node's name; default: the name it proposed, made unique. */
  readonly name?: string;
}

export interface PairingView
  extends Omit<PairingRecord, 'csr' | 'certificate' | 'identityKey' | 'returning'> {
  /** How the machine proved itself; `return`: by its identity key alone, as a known device. */
  readonly method: 'join' | 'pin' | 'return';
  /** Of a device that comes back: when its last certificate ended, or will. */
  readonly certificateExpiresAt?: number;
  readonly fingerprintWords: readonly string[];
  /** What this device id was before. */
  readonly seenBefore?: DeviceState;
}

export interface PairingFilter extends PageFilter {
  readonly states?: readonly PairingState[];
}

export interface PairingControl {
  list(
    caller: VerifiedCaller,
    filter: PairingFilter,
  ): Promise<{ readonly pairings: readonly PairingView[]; readonly next?: string }>;
  get(caller: VerifiedCaller, id: string): Promise<PairingView>;
  /** @throws AppError `pairing.decided` when it is decided already, `pairing.changed` when another proof is pending by now. */
  approve(caller: VerifiedCaller, id: string, decision: PairingDecision): Promise<PairingView>;
  reject(caller: VerifiedCaller, id: string, decision: PairingDecision): Promise<PairingView>;
  /** Takes a request back that is not decided. @throws AppError `pairing.decided`, `pairing.forbidden`. */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<PairingView>;
}

export type Presence = 'online' | 'late' | 'offline';
export type TrustState = 'pending' | 'expired' | DeviceState;
export type CapabilityStatus = 'available' | 'not_approved' | 'not_enabled' | 'not_offered';

export interface InventoryCapability {
  readonly capability: string;
  readonly digest: string;
  readonly plugin: string;
  readonly pluginVersion: string;
  readonly buildDigest: string;
  /** How the node runs its plugin, as it says. */
  readonly standing?: PluginStanding;
  readonly status: CapabilityStatus;
  /** What operators decided about it on this device. */
  readonly decision: SurfaceState;
}

export interface InventoryEntry {
  readonly deviceId: string;
  readonly name: string;
  readonly trust: TrustState;
  readonly presence: Presence;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly capabilities: readonly InventoryCapability[];
  readonly certificateExpiresAt?: number;
  readonly lastSeenAt?: number;
  readonly connectedSince?: number;
  readonly epoch: number;
  readonly queued: number;
  readonly inFlight: number;
  readonly alerts: readonly DeviceAlert[];
  /** What an operator can do with the device, as far as its state goes. */
  readonly actions: readonly DeviceDecision['action'][];
}

export interface InventoryControl {
  /** By name. Without a filter all but those of which only the id is left. */
  list(
    caller: VerifiedCaller,
    filter?: { readonly trust?: readonly TrustState[] },
  ): Promise<readonly InventoryEntry[]>;
}

/** One device with all that an operator can know of it. Times are milliseconds since the epoch. */
/** A certificate of a device. `pending`: issued and not used yet; the one before stays valid until it is. */
export interface ShownCertificate extends Omit<DeviceCertificate, 'pending' | 'keySha256'> {
  readonly pending: boolean;
}

export interface DeviceView {
  readonly deviceId: string;
  readonly version: number;
  readonly name: string;
  readonly trust: Exclude<TrustState, 'pending'>;
  readonly presence: Presence;
  readonly identityKey: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly certificates: readonly ShownCertificate[];
  readonly approvals: readonly SurfaceApproval[];
  /** Grows with each session. */
  readonly epoch: number;
  /** It is to have a new certificate, and has not used one yet that was issued since. */
  readonly rotation?: RotationOrder;
  readonly alerts: readonly DeviceAlert[];
  /** The latest; the journal has them all. */
  readonly decisions: readonly DeviceDecision[];
  /** Other hosts that came with its identity, the latest last. */
  readonly clones: readonly CloneView[];
  /** What an operator can do with it, as far as its state goes. */
  readonly actions: readonly DeviceDecision['action'][];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly certificateExpiresAt?: number;
  readonly lastSeenAt?: number;
  readonly connectedSince?: number;
}

export interface DeviceFilter {
  /** Default: all but those of which only the id is left. */
  readonly trust?: readonly DeviceView['trust'][];
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

/** A host that came with a device's identity and is not the host that the daemon knew. */
export interface CloneView extends Omit<CloneCase, 'tickets' | 'given' | 'instance' | 'before'> {
  /** What an operator can decide about it in its state. */
  readonly actions: readonly CloneAction[];
}

/** What an operator decides about a host that came with a device's identity. */
export interface DecideClone {
  /** `replace`: it becomes the device. `reject`: it stays out. `allow`: it is let in once, and nobody is turned away. */
  readonly action: CloneAction;
  readonly reason: string;
  /** The case; left out when one host waits for a decision. */
  readonly clone?: string;
  /** The version of the device as the operator saw it; left out when any will do. */
  readonly version?: number;
}

/** What an operator decides about a device. */
export type DecideDevice = {
  readonly reason: string;
  /** The version of the device as the operator saw it; left out when any will do. */
  readonly version?: number;
} & (
  | { readonly action: 'rename'; readonly name: string }
  | { readonly action: 'rotate' | 'revoke' | 'remove' | 'ban' | 'lift' }
);

export interface DeviceControl {
  /** In the order of their ids. */
  list(
    caller: VerifiedCaller,
    filter: DeviceFilter,
  ): Promise<{ readonly devices: readonly DeviceView[]; readonly next?: string }>;
  /** @throws AppError `identity.invalid_device_id`, `device.not_found`. */
  get(caller: VerifiedCaller, id: string): Promise<DeviceView>;
  /**
   * Gives a device another name, has it renew its certificate (at once, or when it is back), or shuts it out, or takes a bar off again. A session and work that it has end at once.
   *
   * @throws AppError `device.forbidden`, `device.not_found` (a ban may come before the device), `device.not_possible`,
   *   `device.changed` when it is at another version than the decision names, `device.name_taken`, `revocations.unwritable`.
   */
  decide(caller: VerifiedCaller, id: string, decision: DecideDevice): Promise<DeviceView>;
  /**
   * Says which of several hosts with one identity is the device.
   *
   * @throws AppError `device.forbidden`, `device.not_found`, `device.no_clone`, `device.ambiguous_clone`,
   *   `device.not_possible`, `device.changed`.
   */
  decideClone(caller: VerifiedCaller, id: string, decision: DecideClone): Promise<DeviceView>;
}

export interface CreateDispatch {
  /** A device id (with or without grouping), a unique prefix of one, or a node's name. */
  readonly node: string;
  readonly capability: string;
  readonly input: unknown;
  /** How long the handler may run, milliseconds; default: the capability's own timeout. */
  readonly timeoutMs?: number;
  readonly idempotencyKey?: string;
  /** A key that counts only for a capability that is neither idempotent nor read-only; repeatable work stays keyless. */
  readonly keyIfNeeded?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Answer when it has ended. Without it the answer comes once the dispatch is accepted and on disk. */
  readonly wait?: boolean;
  /** Accept it although the node is offline. Without it an offline node is refused at once. */
  readonly queue?: boolean;
}

export interface DispatchControl {
  /**
   * @throws AppError `dispatch.unknown_node`, `dispatch.unknown_capability` (near matches in the hint), `dispatch.not_approved`,
   *   `dispatch.node_offline`, `dispatch.invalid_input` (names each field), `dispatch.input_too_large`, `dispatch.busy`,
   *   `dispatch.key_conflict`, `dispatch.wait_timeout` (the id is in `details.dispatchId`; the dispatch goes on).
   */
  create(caller: VerifiedCaller, request: CreateDispatch): Promise<DispatchRecord>;
  get(caller: VerifiedCaller, id: string): Promise<DispatchRecord>;
  list(
    caller: VerifiedCaller,
    filter: {
      readonly states?: readonly DispatchState[];
      readonly deviceId?: string;
      readonly limit?: number;
      readonly cursor?: string;
    },
  ): Promise<{ readonly dispatches: readonly DispatchRecord[]; readonly next?: string }>;
  /** Records the wish and carries it to the node; the final state is the node's word (protocol.md 21). */
  cancel(caller: VerifiedCaller, id: string, reason: string): Promise<DispatchRecord>;
}

/** What happened to a dispatch, a pairing or a node, why it is where it is, who can move it, and what happens next. */
export interface ExplanationView {
  readonly kind: 'dispatch' | 'pairing' | 'node';
  readonly id: string;
  readonly title: string;
  /** The address of its actor. */
  readonly address: string;
  /** The state of its record. */
  readonly state: string;
  /** The state of its actor, which knows more states; absent when none runs. */
  readonly actorState?: string;
  /** It has ended for good. */
  readonly ended: boolean;
  readonly since?: number;
  /** What the state means and waits for. */
  readonly description: string;
  /** What else bears on it, one sentence each. */
  readonly notes: readonly string[];
  /** Oldest first. */
  readonly history: readonly JournalEntry[];
  /** What it takes now, and from whom. */
  readonly accepts: readonly AcceptedEvent[];
  /** Soonest first. */
  readonly deadlines: readonly { readonly label: string; readonly event?: string; readonly at: number }[];
  /** What happens by itself if nothing else does. */
  readonly next?: NextStep;
}

export interface ExplainControl {
  /**
   * @param subject the id of a dispatch or a pairing, or a node as {@link CreateDispatch.node}.
   * @throws AppError `dispatch.not_found`, `pairing.not_found`, `dispatch.unknown_node`, `dispatch.ambiguous_node`.
   */
  explain(caller: VerifiedCaller, subject: string): Promise<ExplanationView>;
}

/** One CA of the daemon. Times are milliseconds since the epoch. */
export interface CaView extends CaEntry {
  /** Trusted devices whose newest certificate is of it, and which may know no other. */
  readonly devices: number;
  readonly caId: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityView {
  /** Oldest first. */
  readonly cas: readonly CaView[];
  readonly rotation?: Rotation & {
    /** Trusted devices that have not used a certificate of the issuing CA yet, and the first 20 of their names. */
    readonly behind: number;
    readonly behindNames: readonly string[];
  };
}

export interface RotateAuthority {
  /** How long both CAs are trusted, milliseconds; default: that of the configuration. */
  readonly overlapMs?: number;
  readonly reason: string;
  /** Order every device to renew now rather than when it is due. */
  readonly now?: boolean;
}

export interface AuthorityControl {
  show(caller: VerifiedCaller): Promise<AuthorityView>;
  /** Begins to move to a new CA. @throws AppError `authority.forbidden`, `authority.rotating`, `authority.busy`. */
  rotate(caller: VerifiedCaller, options: RotateAuthority): Promise<AuthorityView>;
  /**
   * Deletes a retired CA. Nodes that know no other have to pair again.
   *
   * @throws AppError `authority.forbidden`, `authority.not_found`, `authority.in_use`, `authority.busy`.
   */
  forget(caller: VerifiedCaller, fingerprint: string, reason: string): Promise<AuthorityView>;
}

export interface Control {
  readonly plugins: PluginControl;
  readonly codes: CodeControl;
  readonly authority: AuthorityControl;
  readonly pairings: PairingControl;
  readonly inventory: InventoryControl;
  readonly devices: DeviceControl;
  readonly surfaces: SurfaceControl;
  readonly dispatches: DispatchControl;
  readonly explanations: ExplainControl;
}
