import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeError } from '../actors/errors.js';
import { signEd25519 } from '../actors/identity/ed25519.js';
import { type JoinString, joinKeyFromSecret } from '../actors/identity/join-string.js';
import { type PinCode, pinPassword } from '../actors/identity/pin-code.js';
import { Spake2, type Spake2Keys } from '../actors/identity/spake2.js';
import { pinIdentities, proofStatement } from '../actors/identity/transcript.js';
import type { BeginMethod } from '../actors/pairing/enrolment.js';
import {
  type Begun,
  EnrollmentClient,
  type Proof,
  type ProofReply,
} from '../adapters/grpc/enrollment-client.js';
import {
  channelOptionsFor,
  fetchPinnedCa,
  fetchShownCa,
  type PinnedCa,
  pinnedCredentials,
} from '../adapters/grpc/pinned-channel.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import { AppError, toAppError } from '../kernel/errors.js';
import type { EnrolmentInput } from './enrolment.js';
import type { OpenPairing } from './identity-store.js';

/** A PIN code and where the daemon is that it is for. */
export interface PinInvitation {
  /** `host:port` of the enrolment port. */
  readonly address: string;
  readonly code: PinCode;
}

/** How long the CA certificate may take to arrive, milliseconds. */
const fetchLimitMs = 10_000;
/** Proofs that are remembered: the daemon names the first that it accepted. */
const maxTranscripts = 256;

/**
 * Proves a join string: pins the CA by its hash, then signs the exchange with the identity key and the join key.
 *
 * @throws AppError `enrolment.ca_mismatch`, `pairing.code_refused`, `pairing.device_barred`, `link.*` when no address answers.
 */
export function proveJoin(join: JoinString, input: EnrolmentInput): Promise<OpenPairing> {
  return whileBusy(input, () => proveJoinSomewhere(join, input));
}

/** Tries the addresses in order; the last error is the one that counts, unless one of them says what is really wrong. */
async function proveJoinSomewhere(join: JoinString, input: EnrolmentInput): Promise<OpenPairing> {
  let last: AppError | undefined;
  for (const address of join.addresses) {
    try {
      input.report({ event: 'proving', deviceId: input.identity.deviceId, address });
      return await proveJoinAt(address, join, input);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (!isPassing(error)) throw error;
      last = error;
    }
  }
  throw last ?? nodeError('refused', 'The join string names no address');
}

async function proveJoinAt(address: string, join: JoinString, input: EnrolmentInput): Promise<OpenPairing> {
  const ca = await fetchPinnedCa({ address, caSha256: join.caSha256, timeoutMs: fetchLimitMs });
  const joinKey = joinKeyFromSecret(join.secret.reveal()).privateKey;
  const client = clientOf(address, ca.caPem);
  try {
    const begun = await begin(client, ca, { kind: 'join', codeId: join.codeId }, input);
    if (!begun.caCertificate.equals(ca.certificate)) throw inBetween(address);
    const joinSignature = signEd25519(joinKey, proofStatement(begun.transcript));
    return await prove(client, { ca, addresses: join.addresses, begun }, { joinSignature }, input);
  } finally {
    client.close();
  }
}

/**
 * Proves a PIN with SPAKE2, on a connection whose daemon is proven by the same exchange. This is one guess for whoever
 * answers, so it is never repeated by itself: only while the daemon is too busy to begin is it asked again, and then nothing
 * has been said that depends on the PIN. The caller goes on with a new connection (protocol.md 3 and 6).
 *
 * @throws AppError `node.pin_refused` when it was not accepted, `node.not_proven` when the daemon did not prove that it knows it,
 *   `pairing.device_barred`, `enrolment.*` and `link.*` when nobody answers.
 */
export async function provePin(
  { address, code }: PinInvitation,
  input: EnrolmentInput,
): Promise<OpenPairing> {
  input.report({ event: 'proving', deviceId: input.identity.deviceId, address });
  const password = await pinPassword(code);
  const ca = await fetchShownCa({ address, timeoutMs: fetchLimitMs });
  const client = clientOf(address, ca.caPem);
  try {
    const { begun, side } = await whileBusy(input, async () => {
      const side = new Spake2('A', password.reveal());
      return {
        side,
        begun: await begin(client, ca, { kind: 'pin', slot: code.slot, share: side.share }, input),
      };
    });
    // A relay with a certificate of its own shows here already, before it has seen more than Begin.
    if (!begun.caCertificate.equals(ca.certificate)) throw inBetween(address);
    const keys = keysOf(side, begun, input, address);
    const isDaemons = ({ pinConfirmation }: ProofReply): boolean => keys.isConfirmedBy(pinConfirmation);
    const proof = { pinConfirmation: keys.confirmation };
    return await prove(client, { ca, addresses: [address], begun }, proof, input, isDaemons);
  } catch (thrown) {
    throw isRefused(thrown) ? pinRefused(address, thrown) : thrown;
  } finally {
    client.close();
  }
}

function keysOf(side: Spake2, begun: Begun, { identity }: EnrolmentInput, address: string): Spake2Keys {
  try {
    return side.finish({
      peerShare: begun.share,
      identities: pinIdentities(identity.publicKey, begun.caCertificate),
      additionalData: begun.transcript,
    });
  } catch (thrown) {
    if (thrown instanceof AppError) throw inBetween(address, thrown);
    throw thrown;
  }
}

function begin(
  client: EnrollmentClient,
  { certificate }: PinnedCa,
  method: BeginMethod,
  input: EnrolmentInput,
): Promise<Begun> {
  const { identity, surfaceDigest, facts } = input;
  const { publicKey: identityKey, csrDigest } = identity;
  const caSha256 = createHash('sha256').update(certificate).digest();
  return client.begin({ identityKey, csrDigest, surfaceDigest, facts, caSha256, method });
}

interface Exchange {
  readonly ca: PinnedCa;
  readonly addresses: readonly string[];
  readonly begun: Begun;
}

/** Sends the proof and writes down what it has led to; the transcript is on disk before. */
async function prove(
  client: EnrollmentClient,
  { ca, addresses, begun }: Exchange,
  proof: Pick<Proof, 'joinSignature' | 'pinConfirmation'>,
  { store, identity }: EnrolmentInput,
  isDaemons: (reply: ProofReply) => boolean = () => true,
): Promise<OpenPairing> {
  const before = await store.readPairing();
  const transcript = begun.transcript.toString('hex');
  const transcripts = [...(before?.transcripts ?? []), transcript].slice(-maxTranscripts);
  // A pairing that is open stays the one to go on with until this proof has led to another.
  await store.writePairing({ caPem: ca.caPem, addresses, ...before, transcripts });
  const reply = await client.prove({
    attemptId: begun.attemptId,
    csr: identity.csr,
    identitySignature: signEd25519(identity.identityKey, proofStatement(begun.transcript)),
    ...proof,
  });
  if (!isDaemons(reply)) throw inBetween(addresses[0] ?? '');
  const words = reply.wordsTranscript.toString('hex');
  if (!transcripts.includes(words)) {
    throw nodeError('refused', 'The daemon shows a pairing that this machine never proved', {
      hint: 'Do not approve it. Ask the operator for a new code.',
    });
  }
  const open: OpenPairing = {
    caPem: ca.caPem,
    addresses,
    transcripts,
    pairingId: reply.pairingId,
    wordsTranscript: words,
  };
  await store.writePairing(open);
  return open;
}

/** Asks again, with backoff, for as long as the daemon has no room. */
async function whileBusy<T>({ report, signal }: EnrolmentInput, call: () => Promise<T>): Promise<T> {
  const backoff = jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 15_000, random: Math.random });
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      const error = toAppError(thrown);
      signal.throwIfAborted();
      if (error.code !== 'pairing.busy') throw error;
      const retryInMs = backoff.next();
      report({ event: 'retrying', what: 'asking to join', retryInMs, error: error.toEnvelope() });
      await sleep(retryInMs, undefined, { signal });
    }
  }
}

function isRefused(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'pairing.code_refused';
}

const betweenHint =
  'Do not use this code again. Tell the operator, who sees each wrong proof and where it came from (`palyra pair list`), and ask for a new one. A join string pins the daemon.';

function pinRefused(address: string, cause: unknown) {
  return nodeError(
    'pin_refused',
    `The PIN was not accepted at ${address}. It was mistyped, or it is over, or someone is in between`,
    {
      hint: betweenHint,
      cause,
    },
  );
}

function inBetween(address: string, cause?: unknown) {
  return nodeError(
    'pin_refused',
    `Who answers at ${address} has not proven to be the daemon: someone may be in between`,
    {
      hint: betweenHint,
      cause,
    },
  );
}

/** A fault of the way there, or one that the daemon itself calls retryable. */
export function isPassing(error: AppError): boolean {
  return error.retryable || error.category === 'unavailable' || error.category === 'timeout';
}

/** A connection of its own to the daemon with that CA. */
export function clientOf(address: string, caPem: string): EnrollmentClient {
  const caCertificates = [caPem];
  return new EnrollmentClient(
    address,
    pinnedCredentials({ caCertificates }),
    channelOptionsFor(caCertificates),
  );
}
