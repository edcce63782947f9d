import type { PluginStanding } from '../../plugins/standing.js';
import type { CloneCase, DeviceTicket } from '../clone/record.js';

/** What a machine said of itself when it last registered. Never a ground for a decision. */
export interface HostFacts {
  readonly hostname: string;
  readonly platform: string;
  readonly arch: string;
  readonly osRelease: string;
  readonly nodeVersion: string;
  readonly palyraVersion: string;
}

/** One certificate of a device. Times are milliseconds since the epoch. */
export interface DeviceCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of the certificate of the CA that issued it, lower-case hex. */
  readonly issuer: string;
  /** SHA-256 of its public key, lower-case hex; left out of what was issued before it was kept. */
  readonly keySha256?: string;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /**
   * It was issued and has not been used: when, what for (SHA-256 of the request, hex), and itself (PEM), for a node whose
   * answer was lost.
   */
  readonly pending?: { readonly csrDigest: string; readonly pem: string; readonly issuedAt: number };
}

/** One descriptor that an operator approved for one device. */
export interface SurfaceApproval {
  readonly digest: string;
  readonly capability: string;
  readonly approvedBy: string;
  readonly approvedAt: number;
  /** The build that was offered then; what counts beside the digest under `plugins.pin: build`. */
  readonly buildDigest?: string;
  readonly reason?: string;
  /** The daemon granted it, since it asks for no more than this earlier approval. */
  readonly follows?: { readonly digest: string; readonly approvedBy: string; readonly approvedAt: number };
}

/**
 * An operator's no to what a device offers: to one descriptor (`rejected`), or to the capability whatever its descriptor
 * (`revoked`). It stands until an operator approves; nothing that the node says ends it.
 */
export interface SurfaceRefusal {
  readonly capability: string;
  /** Left out for the capability as such. */
  readonly digest?: string;
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** One capability as a node offered it when it last registered. */
export interface OfferedCapability {
  readonly digest: string;
  readonly capability: string;
  readonly plugin: string;
  readonly pluginVersion: string;
  readonly buildDigest: string;
  /** How the node runs its plugin, as it says. */
  readonly standing?: PluginStanding;
}

/**
 * The operator's word on a device. `revoked`: shut out as it is, until that is lifted. `removed` and `banned`: nothing is
 * left but the id, which stays out until that is lifted; `banned` may be an id that has never been here. `lifted`: such an
 * id that may ask to join again.
 */
export const deviceStates = ['trusted', 'revoked', 'removed', 'banned', 'lifted'] as const;
export type DeviceState = (typeof deviceStates)[number];

/** Something that an operator decided about a device, or that its owner took it out (`leave`). */
export interface DeviceDecision {
  readonly action: 'rename' | 'label' | 'rotate' | 'revoke' | 'remove' | 'ban' | 'lift' | 'leave';
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** What an operator can decide about a device. */
export type DeviceAction = Exclude<DeviceDecision['action'], 'leave'>;

/** The wish for a new certificate before the old one is due. */
export interface RotationOrder {
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** A device that was approved or banned. Kind `device`; its id is the device id. */
export interface DeviceRecord {
  readonly id: string;
  readonly version: number;
  readonly state: DeviceState;
  /** Empty for an id that was banned before it ever came. */
  readonly name: string;
  /** Raw Ed25519 public identity key, base64url; empty for an id that has never come. */
  readonly identityKey: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly certificates: readonly DeviceCertificate[];
  readonly approvals: readonly SurfaceApproval[];
  /** Left out when there is none. */
  readonly refusals?: readonly SurfaceRefusal[];
  readonly offered: readonly OfferedCapability[];
  /** Grows with each registration. */
  readonly epoch: number;
  readonly ticket: DeviceTicket;
  /** Other hosts that came with its identity; at most 8. */
  readonly clones: readonly CloneCase[];
  /** An operator wants it to have a new certificate: until one that was issued since is used. */
  readonly rotation?: RotationOrder | undefined;
  readonly alerts: readonly DeviceAlert[];
  /** The latest 20; the journal has them all. */
  readonly decisions: readonly DeviceDecision[];
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the node was last connected; written when a session ends, so it lags behind a live one. */
  readonly lastSeenAt?: number;
}

/** Something about a device that an operator should look at. */
export interface DeviceAlert {
  readonly code: 'clone' | 'join_string_reused' | 'pin_reused';
  readonly at: number;
  readonly message: string;
}
