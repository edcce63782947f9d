import { sendToUplink } from '../actors/addresses.js';
import { nodeError } from '../actors/errors.js';
import type { Executions } from '../actors/execution/executions.js';
import { signEd25519 } from '../actors/identity/ed25519.js';
import { fingerprintWords } from '../actors/identity/fingerprint-words.js';
import { returnTranscript, signedStatement } from '../actors/identity/transcript.js';
import type { RenewalPorts, RenewalStatus } from '../actors/renewal/behaviour.js';
import type { ReturnGrant } from '../actors/renewal/grant.js';
import type { Decision } from '../adapters/grpc/enrollment-client.js';
import { parseCertificate } from '../adapters/pki/inspect-certificate.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import { toAppError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Credentials } from './credentials.js';
import type { DaemonLink, ReturnCalls } from './daemon-link.js';
import type { DaemonTime } from './daemon-time.js';
import { hostFacts } from './host-facts.js';
import type { Identity, NextRequest } from './identity-store.js';
import { isAboutCertificate, isRefusedReturn } from './link-errors.js';
import type { Reporter } from './reporter.js';

export interface RenewalParts {
  readonly kernel: Kernel;
  readonly link: DaemonLink;
  readonly identity: Identity;
  readonly credentials: Credentials;
  readonly executions: Executions;
  readonly daemonTime: DaemonTime;
  readonly report: Reporter;
}

/** What the renewal of the node's certificate works with: its keys on disk, and both ports of the daemon. */
export function renewalPorts(parts: RenewalParts): RenewalPorts {
  const { kernel, credentials, executions, daemonTime } = parts;
  const { clock, deadlines, directory, random, log } = kernel;
  const calls = new DaemonCalls(parts);
  return {
    deadlines,
    clock,
    random,
    backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 2_000, maxMs: 300_000, random }),
    daemonNow: () => daemonTime.now(),
    newest: () => credentials.newest,
    isUnproven: () => credentials.isUnproven,
    hasEnded: () => credentials.hasEnded(daemonTime.now()),
    hasRequest: () => credentials.hasRequest,
    hasToConfirm: () => credentials.toConfirm !== undefined,
    prepare: async () => {
      await credentials.prepare();
    },
    renew: async () => calls.renew(await credentials.prepare()),
    comeBack: async (pending, signal) => calls.comeBack(await credentials.prepare(), pending, signal),
    confirm: async () => {
      const answered = credentials.toConfirm;
      if (answered) await calls.confirm(answered).catch(unlessOver);
      await credentials.confirmed();
    },
    store: (grant) => credentials.adopt(grant),
    forgetPrevious: (fingerprint) => {
      credentials.forgetPrevious(fingerprint).catch((err: unknown) => {
        log.error({ err }, 'The certificate before the newest could not be deleted');
      });
    },
    changed: () => sendToUplink(directory, { type: 'certificate.changed' }),
    isAboutCertificate,
    isInForce: (error) => error.code === 'pairing.in_force',
    isRefusal: isRefusedReturn,
    status: (status) => {
      reportStatus(status, parts);
      if (status.state !== 'resting' || status.error.code !== 'pairing.device_barred') return;
      executions.stop(status.error.message);
    },
  };
}

/** The calls by which a node asks for a certificate. Each is one connection, to the next address in turn. */
class DaemonCalls {
  readonly #parts: RenewalParts;
  #attempts = 0;
  /** How often in a row the next certificate was asked for in vain. */
  #failures = 0;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  async renew({ csr, csrDigest }: NextRequest): Promise<ReturnGrant> {
    const { link, credentials, daemonTime, identity } = this.#parts;
    const { nodeAddresses, caCertificates } = credentials.membership;
    const credential = credentials.choose(this.#failures, daemonTime.now());
    this.#failures += 1;
    const client = link.renewals({ address: this.#next(nodeAddresses), caCertificates, credential });
    try {
      const { deviceId } = identity;
      const nonce = await client.challenge();
      const identitySignature = this.#sign('RenewCertificate', deviceId, csrDigest, nonce);
      const grant = await client.renew({ deviceId, csr, nonce, identitySignature });
      this.#failures = 0;
      return grant;
    } finally {
      client.close();
    }
  }

  async comeBack(
    { csr, csrDigest }: NextRequest,
    pending: (pairingId: string) => void,
    signal: AbortSignal,
  ): Promise<ReturnGrant> {
    const { credentials, identity } = this.#parts;
    const { deviceId } = identity;
    const client = this.#enrolment();
    try {
      const nonce = await client.challenge();
      const request = {
        deviceId,
        csr,
        certificate: parseCertificate(credentials.newest.certificatePem).raw,
        facts: hostFacts(),
        nonce,
        identitySignature: this.#sign('Return', deviceId, csrDigest, nonce),
      };
      let told: string | undefined;
      const onPending = (pairingId: string): void => {
        if (pairingId !== told) pending(pairingId);
        told = pairingId;
      };
      return grantOf(await client.comeBack(request, onPending, signal));
    } finally {
      client.close();
    }
  }

  async confirm({ csrDigest, pairingId = '' }: NextRequest): Promise<void> {
    const client = this.#enrolment();
    try {
      const nonce = await client.challenge();
      const identitySignature = this.#sign('Confirm', pairingId, csrDigest, nonce);
      await client.confirm({ pairingId, nonce, identitySignature });
    } finally {
      client.close();
    }
  }

  #enrolment(): ReturnCalls {
    const { link, credentials } = this.#parts;
    const { enrollmentAddresses, caCertificates } = credentials.membership;
    return link.returns({ address: this.#next(enrollmentAddresses), caCertificates });
  }

  #next(addresses: readonly string[]): string {
    const address = addresses[this.#attempts % addresses.length] ?? '';
    this.#attempts += 1;
    return address;
  }

  #sign(rpc: string, subject: string, csrDigest: Uint8Array, nonce: Uint8Array): Buffer {
    return signEd25519(this.#parts.identity.identityKey, signedStatement({ rpc, subject, csrDigest, nonce }));
  }
}

/** A pairing that has ended needs no confirmation any more: the node has what came by it. */
function unlessOver(thrown: unknown): void {
  const { code } = toAppError(thrown);
  if (code !== 'pairing.decided' && code !== 'pairing.not_found') throw thrown;
}

/** @throws AppError `node.refused` when the operator said no, or nobody decided in time. */
function grantOf(decision: Decision): ReturnGrant {
  if (decision.kind === 'approved') {
    const { kind: _kind, name: _name, ...grant } = decision;
    return grant;
  }
  const why =
    decision.kind === 'expired'
      ? 'Nobody decided in time whether this node may come back'
      : `The operator does not let this node come back${decision.reason === '' ? '' : `: ${decision.reason}`}`;
  throw nodeError('refused', why, { hint: 'Ask the operator; or join again with a new code: palyra pair' });
}

function reportStatus(status: RenewalStatus, { identity, credentials, report }: RenewalParts): void {
  switch (status.state) {
    case 'renewing':
      report({ event: 'renewing', reason: status.reason });
      break;
    case 'renewed':
      report({ event: 'renewed', certificateEndsAt: new Date(status.notAfter).toISOString() });
      break;
    case 'returning':
      report({ event: 'returning' });
      break;
    case 'pending': {
      const { deviceId } = identity;
      const digest = credentials.requestDigest ?? Buffer.alloc(0);
      const words = fingerprintWords(returnTranscript(deviceId, digest));
      const { pairingId } = status;
      report({ event: 'pending_approval', deviceId, pairingId, fingerprintWords: words });
      break;
    }
    case 'retrying':
      report({
        event: 'retrying',
        what: 'asking for a certificate',
        retryInMs: status.delayMs,
        error: status.error.toEnvelope(),
      });
      break;
    case 'resting':
      report({ event: 'refused', retryInMs: status.delayMs, error: status.error.toEnvelope() });
      break;
  }
}
