import type { KeyObject } from 'node:crypto';
import { digestOfSurface } from '../../src/actors/device/announcement.js';
import type { HostFacts } from '../../src/actors/device/record.js';
import { type DeviceId, deviceIdOf } from '../../src/actors/identity/device-id.js';
import { rawPublicKey, signEd25519 } from '../../src/actors/identity/ed25519.js';
import { joinKeyFromSecret, parseJoinString } from '../../src/actors/identity/join-string.js';
import { proofStatement, signedStatement } from '../../src/actors/identity/transcript.js';
import type { PluginAnnouncement } from '../../src/actors/link/frames.js';
import { EnrollmentClient, type SignedRequest } from '../../src/adapters/grpc/enrollment-client.js';
import {
  fetchPinnedCa,
  type PinnedCa,
  pinnedChannelOptions,
  pinnedCredentials,
} from '../../src/adapters/grpc/pinned-channel.js';
import { type CertificateRequest, createRequest } from '../../src/adapters/pki/csr.js';
import { freshKeys, type KeyPair } from '../../src/adapters/pki/keys.js';

export interface FleetEnrolment {
  /** One for each node to enrol. */
  readonly joinStrings: readonly string[];
  readonly plugins: readonly PluginAnnouncement[];
  readonly facts: HostFacts;
}

/** A simulated node that the daemon trusts. */
export interface EnrolledNode {
  readonly deviceId: DeviceId;
  readonly tlsKey: KeyObject;
  readonly certificatePem: string;
  readonly ca: PinnedCa;
  readonly nodeAddresses: readonly string[];
}

interface Applicant {
  readonly deviceId: DeviceId;
  readonly identity: KeyPair;
  readonly request: CertificateRequest;
}

interface Proven extends Applicant {
  readonly pairingId: string;
}

/** The daemon lets an address prove this many at a time (protocol.md 11). */
export const provingAtATime = 4;
const waitingAtATime = 64;

/**
 * Enrols simulated nodes with the real protocol over one connection. Each has its own identity key and certificate; they
 * share one TLS key, because an RSA key takes a tenth of a second to make. Somebody has to approve them meanwhile.
 *
 * @throws AppError what the daemon answers.
 */
export async function enrolFleet({
  joinStrings,
  plugins,
  facts,
}: FleetEnrolment): Promise<readonly EnrolledNode[]> {
  const joins = joinStrings.map(parseJoinString);
  const [first] = joins;
  const address = first?.addresses[0];
  if (!first || address === undefined) return [];
  const ca = await fetchPinnedCa({ address, caSha256: first.caSha256, timeoutMs: 10_000 });
  const tlsKeys = await freshKeys.rsa(2048);
  const client = new EnrollmentClient(
    address,
    pinnedCredentials({ caCertificates: [ca.caPem] }),
    pinnedChannelOptions,
  );
  const surfaceDigest = Buffer.from(digestOfSurface(plugins.flatMap((plugin) => plugin.descriptors)), 'hex');
  try {
    const proven = await eachLimited(joins, provingAtATime, async (join): Promise<Proven> => {
      const applicant = await newApplicant(tlsKeys);
      const { attemptId, transcript } = await client.begin({
        identityKey: rawPublicKey(applicant.identity.publicKey),
        csrDigest: applicant.request.digest,
        surfaceDigest,
        facts,
        caSha256: first.caSha256,
        method: { kind: 'join', codeId: join.codeId },
      });
      const statement = proofStatement(transcript);
      const { pairingId } = await client.prove({
        attemptId,
        csr: applicant.request.der,
        identitySignature: signEd25519(applicant.identity.privateKey, statement),
        joinSignature: signEd25519(joinKeyFromSecret(join.secret.reveal()).privateKey, statement),
      });
      return { ...applicant, pairingId };
    });
    return await eachLimited(proven, waitingAtATime, async (applicant, index): Promise<EnrolledNode> => {
      const decision = await client.awaitDecision(
        {
          ...(await signed(client, 'AwaitDecision', applicant)),
          plugins,
          proposedName: `simulated-${index + 1}`,
        },
        () => {},
        AbortSignal.timeout(60_000),
      );
      if (decision.kind !== 'approved') throw new Error(`Simulated node ${index + 1} is ${decision.kind}`);
      await client.confirm(await signed(client, 'Confirm', applicant));
      return {
        deviceId: applicant.deviceId,
        tlsKey: tlsKeys.privateKey,
        certificatePem: decision.certificate,
        ca,
        nodeAddresses: decision.nodeAddresses,
      };
    });
  } finally {
    client.close();
  }
}

async function newApplicant(tlsKeys: KeyPair): Promise<Applicant> {
  const identity = await freshKeys.ed25519();
  const deviceId = deviceIdOf(rawPublicKey(identity.publicKey));
  return { deviceId, identity, request: await createRequest(tlsKeys, deviceId) };
}

async function signed(
  client: EnrollmentClient,
  rpc: 'AwaitDecision' | 'Confirm',
  { identity, request, pairingId }: Proven,
): Promise<SignedRequest> {
  const nonce = await client.challenge();
  const statement = signedStatement({ rpc, subject: pairingId, csrDigest: request.digest, nonce });
  return { pairingId, nonce, identitySignature: signEd25519(identity.privateKey, statement) };
}

/** Maps with at most `limit` at a time; the results stand in the order of the items. */
export async function eachLimited<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await map(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
