import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import type { DeviceAuthority } from '../authority/device-authority.js';
import { pairingError, sessionError } from '../errors.js';
import { verifyEd25519 } from '../identity/ed25519.js';
import { signedStatement } from '../identity/transcript.js';
import type { Nonces } from '../pairing/nonces.js';
import type { NodePeer } from '../session/sessions.js';
import { pendingFor, withPending } from './certificates.js';
import type { Devices } from './devices.js';
import type { DeviceRecord } from './record.js';

/** A node's request for its next certificate, signed by its identity key over a nonce of the daemon. */
export interface RenewCertificate {
  readonly deviceId: string;
  /** PKCS #10 DER. */
  readonly csr: Uint8Array;
  readonly identitySignature: Uint8Array;
  readonly nonce: Uint8Array;
}

/** What a node needs to connect from now on. */
export interface Grant {
  /** The device certificate, PEM. */
  readonly certificate: string;
  /** CA certificates (PEM) that verify the daemon; the current one first. */
  readonly caCertificates: readonly string[];
  /** `host:port`, in order of preference. */
  readonly nodeAddresses: readonly string[];
  readonly enrollmentAddresses: readonly string[];
}

export interface RenewalsOptions {
  readonly devices: Devices;
  readonly authority: DeviceAuthority;
  readonly nonces: Nonces;
  readonly clock: Clock;
  /** Where nodes reach the daemon. */
  readonly advertised: { enrollment(): readonly string[]; node(): readonly string[] };
}

interface Running {
  readonly csrDigest: string;
  readonly issuing: Promise<string>;
}

/** The next certificate of a device that is connected with the one before (protocol.md 14). */
export class Renewals {
  readonly #options: RenewalsOptions;
  /** By device: one at a time, so that it has one certificate pending however often it asks at once. */
  readonly #running = new Map<string, Running>();

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /** A fresh nonce for the next signed call. */
  challenge(): Buffer {
    return this.#options.nonces.issue();
  }

  /**
   * Issues the next certificate. The same request gets the same certificate for as long as that is pending, so a node whose
   * answer was lost asks again; both stay valid until a session with the new one is live.
   *
   * @throws AppError `session.wrong_device` when the message names another device than the certificate,
   *   `pairing.bad_signature` when the identity key did not sign it or the nonce is used up, `pairing.busy` while another
   *   request of the device is under way, `pairing.invalid_request` when it is for a key that has a certificate in use,
   *   `pki.invalid_request`, and what {@link Devices.authenticate} throws.
   */
  async renew(peer: NodePeer, request: RenewCertificate): Promise<Grant> {
    const { devices, authority, nonces, clock, advertised } = this.#options;
    if (request.deviceId !== peer.deviceId) {
      throw sessionError('wrong_device', 'The certificate of this connection belongs to another device', {
        fields: [{ field: 'device_id', message: `is not ${peer.deviceId}` }],
      });
    }
    const device = devices.authenticate(peer.deviceId, peer.fingerprint);
    const digest = createHash('sha256').update(request.csr).digest();
    const statement = signedStatement({
      rpc: 'RenewCertificate',
      subject: device.id,
      csrDigest: digest,
      nonce: request.nonce,
    });
    if (!verifyEd25519(Buffer.from(device.identityKey, 'base64url'), statement, request.identitySignature)) {
      throw pairingError('bad_signature', 'The request is not signed by the identity key of this device', {
        hint: 'The TLS key alone renews nothing: sign with the key that the device id is made of.',
      });
    }
    nonces.consume(request.nonce, device.id);
    const keySha256 = authority.checkRequest(request.csr);
    const csrDigest = digest.toString('hex');
    const certificate =
      pendingFor(device.certificates, csrDigest, {
        now: clock.now(),
        trusts: (issuer) => authority.trusts(issuer),
      }) ?? (await this.#issueOnce(peer, request.csr, csrDigest, keySha256));
    return {
      certificate,
      caCertificates: authority.caCertificates(),
      nodeAddresses: advertised.node(),
      enrollmentAddresses: advertised.enrollment(),
    };
  }

  #issueOnce(peer: NodePeer, csr: Uint8Array, csrDigest: string, keySha256: string): Promise<string> {
    const running = this.#running.get(peer.deviceId);
    if (running?.csrDigest === csrDigest) return running.issuing;
    if (running) {
      throw pairingError('busy', 'Another certificate of this device is being issued', {
        hint: 'Try again.',
      });
    }
    refuseKeyInUse(this.#options.devices.get(peer.deviceId), peer, keySha256);
    const issuing = this.#issue(peer, csr, csrDigest).finally(() => this.#running.delete(peer.deviceId));
    this.#running.set(peer.deviceId, { csrDigest, issuing });
    return issuing;
  }

  async #issue(peer: NodePeer, csr: Uint8Array, csrDigest: string): Promise<string> {
    const { devices, authority, clock } = this.#options;
    const issued = await authority.issueDevice(csr, peer.deviceId);
    await devices.update(
      peer.deviceId,
      (current) => {
        // The operator may have shut it out while the certificate was made.
        devices.authenticate(peer.deviceId, peer.fingerprint);
        const { certificates } = current;
        return { certificates: withPending(certificates, issued, csrDigest, peer.fingerprint, clock.now()) };
      },
      clock.now(),
      { event: 'renew', by: `device:${peer.deviceId}` },
    );
    return issued.pem;
  }
}

/** A renewal is there to replace the key: whoever has copied the old one is to have nothing of the new certificate. */
function refuseKeyInUse(
  device: DeviceRecord | undefined,
  { fingerprint }: NodePeer,
  keySha256: string,
): void {
  const inUse = device?.certificates.some(
    (one) => one.keySha256 === keySha256 && (one.pending === undefined || one.fingerprint === fingerprint),
  );
  if (!inUse) return;
  throw pairingError('invalid_request', 'csr is for the key of the certificate that it is to replace', {
    fields: [{ field: 'csr', message: 'is for a key that has a certificate in use' }],
    hint: 'Make a fresh key for each certificate, as `palyra node` does.',
  });
}
