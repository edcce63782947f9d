import { setTimeout as sleep } from 'node:timers/promises';
import type { HostFacts } from '../actors/device/record.js';
import { nodeError } from '../actors/errors.js';
import { signEd25519 } from '../actors/identity/ed25519.js';
import { fingerprintWords } from '../actors/identity/fingerprint-words.js';
import type { JoinString } from '../actors/identity/join-string.js';
import { signedStatement } from '../actors/identity/transcript.js';
import type { PluginAnnouncement } from '../actors/link/frames.js';
import type { Decision, EnrollmentClient, SignedRequest } from '../adapters/grpc/enrollment-client.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import { toAppError } from '../kernel/errors.js';
import { clientOf, isPassing, type PinInvitation, proveJoin, provePin } from './code-proof.js';
import type { IdentityStore, JoiningIdentity, Membership, OpenPairing } from './identity-store.js';
import type { Reporter } from './reporter.js';

export interface EnrolmentInput {
  readonly store: IdentityStore;
  readonly identity: JoiningIdentity;
  readonly facts: HostFacts;
  readonly plugins: readonly PluginAnnouncement[];
  /** SHA-256 over the descriptors of `plugins`. */
  readonly surfaceDigest: Buffer;
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

/**
 * Joins with a join string: proves it and the identity, waits for the operator and stores what the approval brings.
 *
 * @throws AppError what {@link proveJoin} throws; `node.refused` when the operator rejected it or nobody decided in time.
 */
export async function joinDaemon(join: JoinString, input: EnrolmentInput): Promise<Membership> {
  return awaitApproval(await proveJoin(join, input), input);
}

/** Joins with a PIN. @throws AppError what {@link provePin} throws, and `node.refused` as {@link joinDaemon}. */
export async function joinByPin(invitation: PinInvitation, input: EnrolmentInput): Promise<Membership> {
  return awaitApproval(await provePin(invitation, input), input);
}

/** Goes on with a pairing whose proof was accepted before the host stopped. @throws AppError as {@link joinDaemon}. */
export async function resumePairing(pairing: OpenPairing, input: EnrolmentInput): Promise<Membership> {
  return awaitApproval(pairing, input);
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
        hint: 'Ask the operator; pairing again takes a new code.',
      },
    );
  }
  if (decision.kind === 'expired') {
    throw nodeError('refused', 'Nobody decided on the request in time', {
      hint: 'Ask the operator for a new code.',
    });
  }
  const { kind: _kind, ...trust } = decision;
  const membership: Membership = { ...trust, deviceId: identity.deviceId };
  await store.writeMembership(membership);
  await confirmPairing(open, input);
  return membership;
}

type ConfirmInput = Pick<EnrolmentInput, 'store' | 'identity' | 'report' | 'signal'>;

/** Tells the daemon that what the approval brought is stored. A pairing that has ended meanwhile needs no word any more. */
async function confirmPairing(open: OpenPairing, input: ConfirmInput): Promise<void> {
  await withRetries('confirming', open, input, async (client) => {
    await client.confirm(await signed(client, 'Confirm', open, input.identity));
  }).catch((thrown: unknown) => {
    const { code } = toAppError(thrown);
    if (code !== 'pairing.decided' && code !== 'pairing.not_found') throw thrown;
  });
  await input.store.dropPairing();
}

/**
 * Goes on with the confirmation of a host that died after it had stored what the approval brought. Resolves when there is
 * nothing to confirm any more.
 *
 * @throws AppError what the daemon answers.
 */
export async function resumeConfirming(
  { pairingId }: Membership,
  input: Omit<ConfirmInput, 'identity'>,
): Promise<void> {
  const { store } = input;
  const open = await store.readPairing();
  // One that the machine has begun since, and that nobody has decided, is none that it could confirm.
  if (open?.pairingId === undefined || open.pairingId !== pairingId) return;
  await confirmPairing(open, { ...input, identity: await store.joining() });
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
  identity: JoiningIdentity,
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
  { report, signal }: Pick<EnrolmentInput, 'report' | 'signal'>,
  call: (client: EnrollmentClient) => Promise<T>,
): Promise<T> {
  const backoff = jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 30_000, random: Math.random });
  for (let attempt = 0; ; attempt++) {
    const client = clientOf(open.addresses[attempt % open.addresses.length] as string, open.caPem);
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
