import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostFacts } from '../actors/device/record.js';
import { nodeError } from '../actors/errors.js';
import { signEd25519 } from '../actors/identity/ed25519.js';
import { fingerprintWords } from '../actors/identity/fingerprint-words.js';
import { type JoinString, joinKeyFromSecret } from '../actors/identity/join-string.js';
import { proofStatement, signedStatement } from '../actors/identity/transcript.js';
import type { PluginAnnouncement } from '../actors/link/frames.js';
import { type Decision, EnrollmentClient, type SignedRequest } from '../adapters/grpc/enrollment-client.js';
import { fetchPinnedCa, pinnedChannelOptions, pinnedCredentials } from '../adapters/grpc/pinned-channel.js';
import { caIdOf } from '../adapters/pki/uri-names.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import { type AppError, toAppError } from '../kernel/errors.js';
import type { Identity, IdentityStore, Membership, OpenPairing } from './identity-store.js';
import type { Reporter } from './reporter.js';

export interface EnrolmentInput {
  readonly store: IdentityStore;
  readonly identity: Identity;
  readonly facts: HostFacts;
  readonly plugins: readonly PluginAnnouncement[];
  /** SHA-256 over the descriptors of `plugins`. */
  readonly surfaceDigest: Buffer;
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

/** How long the CA certificate may take to arrive, milliseconds. */
const fetchLimitMs = 10_000;

/**
 * Joins with a join string: pins the CA, proves the invitation and the identity, waits for the operator and stores what the
 * approval brings. A pairing that was begun earlier and not decided is gone on with.
 *
 * @throws AppError `enrolment.ca_mismatch`, `pairing.code_refused`, `pairing.device_barred`, `node.refused` when the
 *   operator rejected it or nobody decided in time, `link.*` when no address answers.
 */
export async function joinDaemon(join: JoinString, input: EnrolmentInput): Promise<Membership> {
  const open = await prove(join, input);
  return awaitApproval(open, input);
}

/** Goes on with a pairing whose proof was accepted before the host stopped. @throws AppError as {@link joinDaemon}. */
export async function resumePairing(pairing: OpenPairing, input: EnrolmentInput): Promise<Membership> {
  return awaitApproval(pairing, input);
}

/** Tries the addresses in order; the last error is the one that counts, unless one of them says what is really wrong. */
async function prove(join: JoinString, input: EnrolmentInput): Promise<OpenPairing> {
  let last: AppError | undefined;
  for (const address of join.addresses) {
    try {
      input.report({ event: 'proving', deviceId: input.identity.deviceId, address });
      return await proveAt(address, join, input);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (!isPassing(error)) throw error;
      last = error;
    }
  }
  throw last ?? nodeError('refused', 'The join string names no address');
}

async function proveAt(address: string, join: JoinString, input: EnrolmentInput): Promise<OpenPairing> {
  const { store, identity, facts, surfaceDigest } = input;
  const { caPem } = await fetchPinnedCa({ address, caSha256: join.caSha256, timeoutMs: fetchLimitMs });
  const client = clientFor(address, caPem);
  try {
    const { attemptId, transcript } = await client.begin({
      identityKey: identity.publicKey,
      csrDigest: identity.csrDigest,
      surfaceDigest,
      facts,
      codeId: join.codeId,
    });
    const transcripts = [...((await store.readPairing())?.transcripts ?? []), transcript.toString('hex')];
    const addresses = join.addresses;
    await store.writePairing({ caPem, addresses, transcripts });
    const statement = proofStatement(transcript);
    const { pairingId, wordsTranscript } = await client.prove({
      attemptId,
      csr: identity.csr,
      identitySignature: signEd25519(identity.identityKey, statement),
      joinSignature: signEd25519(joinKeyFromSecret(join.secret.reveal()).privateKey, statement),
    });
    const words = wordsTranscript.toString('hex');
    if (!transcripts.includes(words)) {
      throw nodeError('refused', 'The daemon shows a pairing that this machine never proved', {
        hint: 'Do not approve it. Ask the operator for a new join string.',
      });
    }
    const open: OpenPairing = { caPem, addresses, transcripts, pairingId, wordsTranscript: words };
    await store.writePairing(open);
    return open;
  } finally {
    client.close();
  }
}

async function awaitApproval(open: OpenPairing, input: EnrolmentInput): Promise<Membership> {
  const { store, identity } = input;
  const decision = await withRetries('waiting for approval', open, input, (client) =>
    askForDecision(client, open, input),
  );
  if (decision.kind === 'rejected') {
    throw nodeError(
      'refused',
      `The operator rejected this machine${decision.reason ? `: ${decision.reason}` : ''}`,
      {
        hint: 'Ask the operator; pairing again takes a new join string.',
      },
    );
  }
  if (decision.kind === 'expired') {
    throw nodeError('refused', 'Nobody decided on the request in time', {
      hint: 'Ask the operator for a new join string.',
    });
  }
  const { kind: _kind, ...trust } = decision;
  const membership: Membership = { ...trust, deviceId: identity.deviceId };
  await store.writeMembership(membership);
  await withRetries('confirming', open, input, async (client) => {
    await client.confirm(await signed(client, 'Confirm', open, identity));
  });
  return membership;
}

async function askForDecision(
  client: EnrollmentClient,
  open: OpenPairing,
  input: EnrolmentInput,
): Promise<Decision> {
  const { identity, plugins, facts, report, signal } = input;
  const request = await signed(client, 'AwaitDecision', open, identity);
  let isReported = false;
  const onPending = (): void => {
    if (isReported) return;
    isReported = true;
    report({
      event: 'pending_approval',
      deviceId: identity.deviceId,
      pairingId: request.pairingId,
      fingerprintWords: fingerprintWords(Buffer.from(open.wordsTranscript ?? '', 'hex')),
    });
  };
  return client.awaitDecision({ ...request, plugins, proposedName: facts.hostname }, onPending, signal);
}

async function signed(
  client: EnrollmentClient,
  rpc: string,
  open: OpenPairing,
  identity: Identity,
): Promise<SignedRequest> {
  const pairingId = open.pairingId ?? '';
  const nonce = await client.challenge();
  const statement = signedStatement({ rpc, subject: pairingId, csrDigest: identity.csrDigest, nonce });
  return { pairingId, nonce, identitySignature: signEd25519(identity.identityKey, statement) };
}

/** Calls until it works, with backoff, on each address in turn; an answer that is no passing fault ends it. */
async function withRetries<T>(
  what: string,
  open: OpenPairing,
  { report, signal }: EnrolmentInput,
  call: (client: EnrollmentClient) => Promise<T>,
): Promise<T> {
  const backoff = jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 30_000, random: Math.random });
  for (let attempt = 0; ; attempt++) {
    const client = clientFor(open.addresses[attempt % open.addresses.length] as string, open.caPem);
    try {
      return await call(client);
    } catch (thrown) {
      const error = toAppError(thrown);
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      const retryInMs = backoff.next();
      report({ event: 'retrying', what, retryInMs, error: error.toEnvelope() });
      await sleep(retryInMs, undefined, { signal });
    } finally {
      client.close();
    }
  }
}

/** A fault of the way there, or one that the daemon itself calls retryable. */
function isPassing(error: AppError): boolean {
  return error.retryable || error.category === 'unavailable' || error.category === 'timeout';
}

function clientFor(address: string, caPem: string): EnrollmentClient {
  const caId = caIdOf(new X509Certificate(caPem).publicKey);
  return new EnrollmentClient(address, pinnedCredentials({ caPem, caId }), pinnedChannelOptions);
}
