import { createPublicKey, type KeyObject } from 'node:crypto';
import { nodeError } from '../actors/errors.js';
import type { Validity } from '../actors/identity/validity.js';
import type { ReturnGrant } from '../actors/renewal/grant.js';
import { inspectCertificate, parseCertificate } from '../adapters/pki/inspect-certificate.js';
import type { Identity, IdentityStore, Membership, NextRequest } from './identity-store.js';

/** A certificate of this node with its key. */
export interface Credential extends Validity {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
}

/** What the node connects with: its newest certificate, the one before until that has worked, and the next one's request. */
export class Credentials {
  readonly #store: IdentityStore;
  readonly #identity: Identity;
  #membership: Membership;
  #newest: Credential;
  #previous: Credential | undefined;
  #request: NextRequest | undefined;
  #answered: NextRequest | undefined;
  /** Whether the disk has no keys but those in use. A host that died may have left some: it is looked once. */
  #isTidy = false;
  /** What is being written: one change after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(store: IdentityStore, identity: Identity, membership: Membership, newest: Credential) {
    this.#store = store;
    this.#identity = identity;
    this.#membership = membership;
    this.#newest = newest;
  }

  /**
   * Reads the keys. A request whose certificate is there already was answered before the host died.
   *
   * @throws AppError `node.key_lost` when the key of the certificate is not on the disk.
   */
  static async open(store: IdentityStore, identity: Identity, membership: Membership): Promise<Credentials> {
    const newest = await readCredential(store, membership.certificate);
    if (!newest) {
      throw nodeError('key_lost', 'The key of the certificate of this node is gone', {
        hint: 'Restore the state directory, or pair again: the operator runs `palyra pair`.',
      });
    }
    const credentials = new Credentials(store, identity, membership, newest);
    if (membership.previous !== undefined) {
      credentials.#previous = await readCredential(store, membership.previous);
    }
    const request = await store.readNextRequest();
    if (!request || !isKeyOf(newest.certificatePem, request.tlsKey)) credentials.#request = request;
    else if (request.pairingId === undefined) await store.dropNextRequest();
    else credentials.#answered = request;
    return credentials;
  }

  get membership(): Membership {
    return this.#membership;
  }

  get newest(): Credential {
    return this.#newest;
  }

  /** Whether the newest certificate has not worked yet. */
  get isUnproven(): boolean {
    return this.#previous !== undefined;
  }

  /** Whether a request is under way: its key is on disk, and the daemon may have answered it already. */
  get hasRequest(): boolean {
    return this.#request !== undefined;
  }

  /** SHA-256 of the request under way, 32 bytes. */
  get requestDigest(): Buffer | undefined {
    return this.#request?.csrDigest;
  }

  /** The request by which the newest certificate came when the device came back, until the daemon knows that it is stored. */
  get toConfirm(): NextRequest | undefined {
    return this.#answered;
  }

  /** Whether no certificate is in force. @param now milliseconds since the epoch */
  hasEnded(now: number): boolean {
    return now >= Math.max(this.#newest.notAfter, this.#previous?.notAfter ?? 0);
  }

  /** Whether a certificate is in force beside the one with that fingerprint. @param now milliseconds since the epoch */
  hasOther(fingerprint: string, now: number): boolean {
    const others = [this.#newest, this.#previous].filter((one) => one?.fingerprint !== fingerprint);
    return others.some((one) => one !== undefined && now < one.notAfter);
  }

  /** What the `attempt`-th attempt since the last success uses: the newest and the one before in turn, while it is in force. */
  choose(attempt: number, now: number): Credential {
    const previous = this.#previous;
    return previous && attempt % 2 === 1 && now < previous.notAfter ? previous : this.#newest;
  }

  /** The request for the next certificate: the one under way, or a new one with a fresh key. It is on disk. */
  prepare(): Promise<NextRequest> {
    return this.#inTurn(async () => {
      this.#request ??= await this.#store.makeNextRequest(this.#identity.deviceId);
      return this.#request;
    });
  }

  /**
   * Makes the certificate that the daemon issued the newest, on disk, in one step. The one before stays until
   * {@link Credentials.forgetPrevious}.
   *
   * @throws AppError `node.bad_certificate` when it is not for the request under way or no CA vouches for it; nothing changes.
   */
  adopt(grant: ReturnGrant): Promise<void> {
    return this.#inTurn(() => this.#adopt(grant));
  }

  /** The newest certificate has worked: the one before, and keys that nothing needs any more, are deleted. */
  forgetPrevious(fingerprint: string): Promise<void> {
    return this.#inTurn(() => this.#forgetPrevious(fingerprint));
  }

  /** The daemon knows that what came by a pairing is stored. */
  confirmed(): Promise<void> {
    return this.#inTurn(async () => {
      this.#answered = undefined;
      await this.#store.dropNextRequest();
    });
  }

  async #adopt({ pairingId, ...grant }: ReturnGrant): Promise<void> {
    const request = this.#request;
    const problem = request ? problemOf(grant, this.#identity.deviceId, request.tlsKey) : 'was not asked for';
    if (!request || problem !== undefined) {
      throw nodeError('bad_certificate', `The certificate that the daemon sent ${problem}`, {
        hint: 'The old one stays in use. Look at the log of the daemon.',
      });
    }
    const answered = pairingId === undefined ? undefined : await this.#store.noteReturn(request, pairingId);
    const before = this.#newest;
    const membership = { ...this.#membership, ...grant, previous: before.certificatePem };
    await this.#store.writeMembership(membership);
    this.#membership = membership;
    this.#newest = credentialOf(grant.certificate, request.tlsKey);
    this.#previous = before;
    this.#isTidy = false;
    this.#request = undefined;
    this.#answered = answered;
    if (!answered) await this.#store.dropNextRequest();
  }

  async #forgetPrevious(fingerprint: string): Promise<void> {
    if (this.#isTidy || this.#newest.fingerprint !== fingerprint) return;
    const { previous, ...membership } = this.#membership;
    if (previous !== undefined) await this.#store.writeMembership(membership);
    this.#membership = membership;
    this.#previous = undefined;
    const request = this.#request;
    await this.#store.dropOtherKeys([this.#newest.privateKey, ...(request ? [request.tlsKey] : [])]);
    this.#isTidy = true;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(change);
    this.#writing = done.catch(() => undefined);
    return done;
  }
}

async function readCredential(store: IdentityStore, certificatePem: string): Promise<Credential | undefined> {
  const key = await store.keyOf(certificatePem);
  return key && credentialOf(certificatePem, key);
}

function credentialOf(certificatePem: string, privateKey: KeyObject): Credential {
  const { fingerprint, notBefore, notAfter } = inspectCertificate(certificatePem);
  return { certificatePem, privateKey, fingerprint, notBefore, notAfter };
}

function isKeyOf(certificatePem: string, key: KeyObject): boolean {
  return parseCertificate(certificatePem).publicKey.equals(createPublicKey(key));
}

/** What is wrong with a certificate that was issued, in words; undefined when nothing is. */
function problemOf(grant: ReturnGrant, deviceId: string, key: KeyObject): string | undefined {
  const certificate = parseCertificate(grant.certificate);
  if (!certificate.publicKey.equals(createPublicKey(key))) return 'is not for the key that it was asked for';
  if (inspectCertificate(certificate).deviceId !== deviceId) return 'does not name this device';
  const isVouchedFor = grant.caCertificates.some((pem) => {
    const ca = parseCertificate(pem);
    return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  });
  return isVouchedFor ? undefined : 'is not issued by a CA that it sent along';
}
