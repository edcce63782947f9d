import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { type DeviceId, deviceIdOf } from '../actors/identity/device-id.js';
import { rawPublicKey } from '../actors/identity/ed25519.js';
import { readPrivateFile, writePrivateFile } from '../adapters/os/private-file.js';
import { createRequest } from '../adapters/pki/csr.js';
import { type KeySource, privateKeyFromPem, privateKeyToPem } from '../adapters/pki/keys.js';
import type { SecretFiles } from '../adapters/secrets/secret-files.js';

/** What makes this machine the device that it is. Made here, never sent. */
export interface Identity {
  readonly deviceId: DeviceId;
  readonly identityKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
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
  readonly certificate: string;
  readonly caCertificates: readonly string[];
  readonly nodeAddresses: readonly string[];
  readonly enrollmentAddresses: readonly string[];
}

/**
 * The node's identity on its own disk: one file for each thing, 0600, each replaced atomically and on disk before anything
 * is said that depends on it.
 */
export class IdentityStore {
  readonly #directory: string;
  readonly #keys: KeySource;
  readonly #files: SecretFiles;

  /** @param files the files of the same directory which hold keys */
  constructor(directory: string, keys: KeySource, files: SecretFiles) {
    this.#directory = directory;
    this.#keys = keys;
    this.#files = files;
  }

  /** The identity, made and written the first time. @throws AppError when a key file is damaged or readable by others. */
  async identity(): Promise<Identity> {
    const identityKey = await this.#key('identity.key', async () => (await this.#keys.ed25519()).privateKey);
    const tlsKey = await this.#key('tls.key', async () => (await this.#keys.rsa(2048)).privateKey);
    const publicKey = rawPublicKey(createPublicKey(identityKey));
    const deviceId = deviceIdOf(publicKey);
    const csr = await this.#csr(tlsKey, deviceId);
    const csrDigest = createHash('sha256').update(csr).digest();
    return { deviceId, identityKey, publicKey, tlsKey, csr, csrDigest };
  }

  readPairing(): Promise<OpenPairing | undefined> {
    return this.#readJson<OpenPairing>('pairing.json');
  }

  writePairing(pairing: OpenPairing): Promise<void> {
    return this.#writeJson('pairing.json', pairing);
  }

  readMembership(): Promise<Membership | undefined> {
    return this.#readJson<Membership>('membership.json');
  }

  writeMembership(membership: Membership): Promise<void> {
    return this.#writeJson('membership.json', membership);
  }

  /** The request is kept with the key, so that a pairing that is tried again asks for the same certificate. */
  async #csr(tlsKey: KeyObject, deviceId: DeviceId): Promise<Buffer> {
    const kept = await readPrivateFile(this.#file('tls.csr'));
    if (kept) return kept;
    const { der } = await createRequest({ privateKey: tlsKey, publicKey: createPublicKey(tlsKey) }, deviceId);
    await writePrivateFile(this.#file('tls.csr'), der);
    return der;
  }

  async #key(name: string, make: () => Promise<KeyObject>): Promise<KeyObject> {
    const kept = await this.#files.read(name);
    if (kept) return privateKeyFromPem(kept);
    const key = await make();
    await this.#files.write(name, privateKeyToPem(key));
    return key;
  }

  async #readJson<T>(name: string): Promise<T | undefined> {
    const bytes = await readPrivateFile(this.#file(name));
    return bytes && (JSON.parse(bytes.toString('utf8')) as T);
  }

  #writeJson(name: string, value: object): Promise<void> {
    return writePrivateFile(this.#file(name), `${JSON.stringify(value, null, 2)}\n`);
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}
