import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey } from 'node:crypto';
import { type DeviceId, deviceIdOf } from '../actors/identity/device-id.js';
import { rawPublicKey } from '../actors/identity/ed25519.js';
import type { PrivateFiles } from '../adapters/os/private-directory.js';
import { createRequest } from '../adapters/pki/csr.js';
import { parseCertificate } from '../adapters/pki/inspect-certificate.js';
import { type KeySource, privateKeyFromPem, privateKeyToPem, publicKeyToDer } from '../adapters/pki/keys.js';
import type { SecretFiles } from '../adapters/secrets/secret-files.js';

/** What makes this machine the device that it is. Made here, never sent. */
export interface Identity {
  readonly deviceId: DeviceId;
  readonly identityKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
}

/** The identity with what it asks for its first certificate with: of use until the certificate after that has worked. */
export interface JoiningIdentity extends Identity {
  readonly tlsKey: KeyObject;
  /** PKCS #10 DER for the TLS key. */
  readonly csr: Buffer;
  readonly csrDigest: Buffer;
}

/** A pairing that has begun, so that a restarted host goes on with it instead of asking anew. */
export interface OpenPairing {
  readonly caPem: string;
  readonly addresses: readonly string[];
  /** Transcripts for which a proof was sent, hex: the daemon's words must be made of one of them. */
  readonly transcripts: readonly string[];
  /** Absent until the proof was accepted. */
  readonly pairingId?: string;
  readonly wordsTranscript?: string;
}

/** The trust that an approval gave: everything that the node needs to connect. */
export interface Membership {
  readonly deviceId: string;
  readonly name: string;
  /** The pairing by which it came. */
  readonly pairingId?: string;
  readonly certificate: string;
  /** The certificate before this one, until a session with this one is live. */
  readonly previous?: string;
  readonly caCertificates: readonly string[];
  readonly nodeAddresses: readonly string[];
  readonly enrollmentAddresses: readonly string[];
}

/** What the next certificate is asked for with. On disk before it is asked for, so that a lost answer can be asked for again. */
export interface NextRequest {
  readonly tlsKey: KeyObject;
  /** PKCS #10 DER for it. */
  readonly csr: Buffer;
  readonly csrDigest: Buffer;
  /** The pairing by which it was answered, when the device came back: to be confirmed. */
  readonly pairingId?: string;
}

/** The files that hold keys. */
export type KeyFiles = Pick<SecretFiles, 'read' | 'write'>;

/**
 * The node's identity on its own disk: one file for each thing, 0600, each replaced atomically and on disk before anything
 * is said that depends on it.
 */
export class IdentityStore {
  readonly #files: PrivateFiles;
  readonly #keys: KeySource;
  readonly #secrets: KeyFiles;

  /** @param secrets the files of the same directory which hold keys */
  constructor(files: PrivateFiles, keys: KeySource, secrets: KeyFiles) {
    this.#files = files;
    this.#keys = keys;
    this.#secrets = secrets;
  }

  /** The identity, made and written the first time. @throws AppError when a key file is damaged or readable by others. */
  async identity(): Promise<Identity> {
    const identityKey = await this.#key('identity.key', async () => (await this.#keys.ed25519()).privateKey);
    const publicKey = rawPublicKey(createPublicKey(identityKey));
    return { deviceId: deviceIdOf(publicKey), identityKey, publicKey };
  }

  /** The identity and the request to join with, made and written the first time. @throws AppError as {@link identity}. */
  async joining(): Promise<JoiningIdentity> {
    const identity = await this.identity();
    const tlsKey = await this.#key(firstKeyFile, async () => (await this.#keys.rsa(2048)).privateKey);
    const csr = await this.#csr(tlsKey, identity.deviceId);
    return { ...identity, tlsKey, csr, csrDigest: createHash('sha256').update(csr).digest() };
  }

  readPairing(): Promise<OpenPairing | undefined> {
    return this.#readJson<OpenPairing>('pairing.json');
  }

  writePairing(pairing: OpenPairing): Promise<void> {
    return this.#writeJson('pairing.json', pairing);
  }

  /** The pairing is over: nothing about it is needed any more. */
  async dropPairing(): Promise<void> {
    await this.#files.remove('pairing.json');
  }

  readMembership(): Promise<Membership | undefined> {
    return readMembershipIn(this.#files);
  }

  writeMembership(membership: Membership): Promise<void> {
    return this.#writeJson('membership.json', membership);
  }

  /** The key of one of this node's certificates; undefined when it is lost. */
  async keyOf(certificatePem: string): Promise<KeyObject | undefined> {
    const { publicKey } = parseCertificate(certificatePem);
    for (const name of [keyFile(publicKey), firstKeyFile]) {
      const kept = await this.#secrets.read(name);
      const key = kept && privateKeyFromPem(kept);
      if (key && createPublicKey(key).equals(publicKey)) return key;
    }
    return undefined;
  }

  /** The request under way, if there is one. */
  async readNextRequest(): Promise<NextRequest | undefined> {
    const stored = await this.#readJson<StoredRequest>(requestFile);
    if (!stored) return undefined;
    const kept = await this.#secrets.read(stored.keyFile);
    return kept && nextRequest(privateKeyFromPem(kept), stored);
  }

  /** Makes a fresh key and its request. Both are on disk when this resolves. */
  async makeNextRequest(deviceId: DeviceId): Promise<NextRequest> {
    const keys = await this.#keys.rsa(2048);
    const { der } = await createRequest(keys, deviceId);
    const name = keyFile(keys.publicKey);
    await this.#secrets.write(name, privateKeyToPem(keys.privateKey));
    const stored: StoredRequest = { keyFile: name, csr: der.toString('base64') };
    await this.#writeJson(requestFile, stored);
    return nextRequest(keys.privateKey, stored);
  }

  /** Notes the pairing by which the request was answered. */
  async noteReturn({ tlsKey, csr }: NextRequest, pairingId: string): Promise<NextRequest> {
    const name = keyFile(createPublicKey(tlsKey));
    const stored: StoredRequest = { keyFile: name, csr: csr.toString('base64'), pairingId };
    await this.#writeJson(requestFile, stored);
    return nextRequest(tlsKey, stored);
  }

  /** The certificate of the request is part of the membership: the request is done. */
  async dropNextRequest(): Promise<void> {
    await this.#files.remove(requestFile);
  }

  /** Deletes the keys of certificates that are used no more, and with the first of them what else was for joining. */
  async dropOtherKeys(inUse: readonly KeyObject[]): Promise<void> {
    const kept = new Set(inUse.map((key) => keyFile(createPublicKey(key))));
    for (const name of await this.#files.names()) {
      if (/^tls-[0-9a-f]{16}\.key$/.test(name) && !kept.has(name)) await this.#files.remove(name);
    }
    const first = await this.#secrets.read(firstKeyFile);
    if (!first || kept.has(keyFile(createPublicKey(privateKeyFromPem(first))))) return;
    // The key last: a request without its key would be taken for that of the next one.
    await this.dropPairing();
    await this.#files.remove(firstRequestFile);
    await this.#files.remove(firstKeyFile);
  }

  /** The request is kept with the key, so that a pairing that is tried again asks for the same certificate. */
  async #csr(tlsKey: KeyObject, deviceId: DeviceId): Promise<Buffer> {
    const kept = await this.#files.read(firstRequestFile);
    if (kept) return kept;
    const { der } = await createRequest({ privateKey: tlsKey, publicKey: createPublicKey(tlsKey) }, deviceId);
    await this.#files.write(firstRequestFile, der);
    return der;
  }

  async #key(name: string, make: () => Promise<KeyObject>): Promise<KeyObject> {
    const kept = await this.#secrets.read(name);
    if (kept) return privateKeyFromPem(kept);
    const key = await make();
    await this.#secrets.write(name, privateKeyToPem(key));
    return key;
  }

  async #readJson<T>(name: string): Promise<T | undefined> {
    const bytes = await this.#files.read(name);
    return bytes && (JSON.parse(bytes.toString('utf8')) as T);
  }

  #writeJson(name: string, value: object): Promise<void> {
    return this.#files.write(name, `${JSON.stringify(value, null, 2)}\n`);
  }
}

/** The membership that is among those files. It holds no secret, and whoever reads it need not hold the directory. */
export async function readMembershipIn(files: Pick<PrivateFiles, 'read'>): Promise<Membership | undefined> {
  const bytes = await files.read('membership.json');
  return bytes && (JSON.parse(bytes.toString('utf8')) as Membership);
}

/** The key that the machine joined with. Later ones are in files of their own, named by the key. */
const firstKeyFile = 'tls.key';
const firstRequestFile = 'tls.csr';
const requestFile = 'request.json';

interface StoredRequest {
  readonly keyFile: string;
  /** DER, base64. */
  readonly csr: string;
  readonly pairingId?: string;
}

function keyFile(publicKey: KeyObject): string {
  return `tls-${createHash('sha256').update(publicKeyToDer(publicKey)).digest('hex').slice(0, 16)}.key`;
}

function nextRequest(tlsKey: KeyObject, { csr: base64, pairingId }: StoredRequest): NextRequest {
  const csr = Buffer.from(base64, 'base64');
  const csrDigest = createHash('sha256').update(csr).digest();
  return { tlsKey, csr, csrDigest, ...(pairingId === undefined ? {} : { pairingId }) };
}
