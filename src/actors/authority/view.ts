import type { VerifiedCaller } from '../../kernel/authority.js';
import type { CaEntry, Rotation } from './record.js';

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
