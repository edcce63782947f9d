import { randomBytes } from 'node:crypto';
import {
  type ChannelCredentials,
  type ClientReadableStream,
  Metadata,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import type { HostFacts } from '../../actors/device/record.js';
import type { Grant } from '../../actors/device/renewals.js';
import { transcriptDigest } from '../../actors/identity/transcript.js';
import { type PluginAnnouncement, protocolVersion } from '../../actors/link/frames.js';
import type { BeginMethod } from '../../actors/pairing/enrolment.js';
import type { ReturnRequest } from '../../actors/pairing/returns.js';
import { factsToWire, pluginsToWire, protocolToWire } from './codec.js';
import type { BeginReply__Output } from './gen/palyra/node/v1/BeginReply.js';
import type { BeginRequest } from './gen/palyra/node/v1/BeginRequest.js';
import type { DecisionEvent__Output } from './gen/palyra/node/v1/DecisionEvent.js';
import type { EnrollmentClient as WireClient } from './gen/palyra/node/v1/Enrollment.js';
import { grantFromWire } from './grant-codec.js';
import { beginRequestBytes, enrollmentWithBytes, type Received } from './proto.js';
import { fromStatus, linkError } from './status.js';
import { callLimit, unaryCall } from './unary-call.js';

const channelOptions = { 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000 };

export interface BeginDetails {
  readonly identityKey: Uint8Array;
  readonly csrDigest: Uint8Array;
  readonly surfaceDigest: Uint8Array;
  readonly facts: HostFacts;
  /** SHA-256 of the CA certificate that is pinned, or was shown, 32 bytes. */
  readonly caSha256: Uint8Array;
  readonly method: BeginMethod;
}

/** An attempt that the daemon has opened. */
export interface Begun {
  readonly attemptId: string;
  readonly transcript: Buffer;
  /** The CA certificate that the daemon names, DER. */
  readonly caCertificate: Buffer;
  /** The daemon's SPAKE2 share; empty for a join string. */
  readonly share: Buffer;
}

export interface Proof {
  readonly attemptId: string;
  readonly csr: Uint8Array;
  readonly identitySignature: Uint8Array;
  /** Of the code's method; the other is left out. */
  readonly joinSignature?: Uint8Array;
  readonly pinConfirmation?: Uint8Array;
}

/** What the daemon says to a proof that it accepted. */
export interface ProofReply {
  readonly pairingId: string;
  readonly wordsTranscript: Buffer;
  /** The daemon's SPAKE2 confirmation; empty for a join string. */
  readonly pinConfirmation: Buffer;
}

/** What the operator decided. */
export type Decision =
  | ({
      readonly kind: 'approved';
      readonly pairingId: string;
      readonly name: string;
    } & Grant)
  | { readonly kind: 'rejected'; readonly pairingId: string; readonly reason: string }
  | { readonly kind: 'expired'; readonly pairingId: string };

/** A signed call of a pairing. */
export interface SignedRequest {
  readonly pairingId: string;
  readonly nonce: Uint8Array;
  readonly identitySignature: Uint8Array;
}

/** The enrolment port as a node calls it. One client is one connection. */
export class EnrollmentClient {
  readonly #client: WireClient;

  constructor(
    address: string,
    credentials: ChannelCredentials,
    options: Readonly<Record<string, string | number>>,
  ) {
    const Client = makeClientConstructor(enrollmentWithBytes(), 'Enrollment');
    this.#client = new Client(address, credentials, {
      ...channelOptions,
      ...options,
    }) as unknown as WireClient;
  }

  /** Opens an attempt. The transcript covers the complete bytes of both messages (protocol.md 4). */
  async begin(details: BeginDetails): Promise<Begun> {
    const { method } = details;
    const request: BeginRequest = {
      protocol: protocolToWire(protocolVersion),
      identityKey: Buffer.from(details.identityKey),
      nonce: randomBytes(32),
      csrDigest: Buffer.from(details.csrDigest),
      surfaceDigest: Buffer.from(details.surfaceDigest),
      facts: factsToWire(details.facts),
      caSha256: Buffer.from(details.caSha256),
      ...(method.kind === 'join'
        ? { join: { codeId: method.codeId } }
        : { pin: { slot: method.slot, share: Buffer.from(method.share) } }),
    };
    const reply = await unaryCall<BeginReply__Output>((done) =>
      this.#client.Begin(request, new Metadata(), callLimit(), done),
    );
    const { received } = reply as BeginReply__Output & Received;
    return {
      attemptId: reply.attemptId,
      transcript: transcriptDigest(beginRequestBytes(request), received),
      caCertificate: reply.caCertificate,
      share: reply.pin?.share ?? Buffer.alloc(0),
    };
  }

  /** Ends an attempt with its proof. */
  async prove({ joinSignature, pinConfirmation, ...proof }: Proof): Promise<ProofReply> {
    const request = {
      attemptId: proof.attemptId,
      csr: Buffer.from(proof.csr),
      identitySignature: Buffer.from(proof.identitySignature),
      ...(joinSignature && { joinSignature: Buffer.from(joinSignature) }),
      ...(pinConfirmation && { pinConfirmation: Buffer.from(pinConfirmation) }),
    };
    return unaryCall((done) => this.#client.Prove(request, new Metadata(), callLimit(), done));
  }

  /** A nonce for the next signed call. */
  async challenge(): Promise<Buffer> {
    const reply = await unaryCall<{ nonce: Buffer }>((done) =>
      this.#client.Challenge({}, new Metadata(), callLimit(), done),
    );
    return reply.nonce;
  }

  /**
   * Submits the request and waits for the decision, for as long as the stream lasts.
   *
   * @throws AppError what the daemon answers, or `link.*` when the connection is lost: ask again with a new nonce.
   */
  awaitDecision(
    request: SignedRequest & {
      readonly plugins: readonly PluginAnnouncement[];
      readonly proposedName: string;
    },
    onPending: () => void,
    signal: AbortSignal,
  ): Promise<Decision> {
    const stream = this.#client.AwaitDecision({
      ...signedToWire(request),
      plugins: pluginsToWire(request.plugins),
      proposedName: request.proposedName,
    });
    return decisionOn(stream, onPending, signal);
  }

  /**
   * Asks to come back as a known device and waits for the decision, for as long as the stream lasts.
   *
   * @param onPending gets the id of the pairing each time the daemon says that it waits for the operator
   * @throws AppError what the daemon answers, or `link.*` when the connection is lost: ask again with a new nonce.
   */
  comeBack(
    request: Omit<ReturnRequest, 'protocol'>,
    onPending: (pairingId: string) => void,
    signal: AbortSignal,
  ): Promise<Decision> {
    const stream = this.#client.Return({
      protocol: protocolToWire(protocolVersion),
      deviceId: request.deviceId,
      csr: Buffer.from(request.csr),
      certificate: Buffer.from(request.certificate),
      facts: factsToWire(request.facts),
      nonce: Buffer.from(request.nonce),
      identitySignature: Buffer.from(request.identitySignature),
    });
    return decisionOn(stream, onPending, signal);
  }

  async confirm(request: SignedRequest): Promise<void> {
    await unaryCall((done) => this.#client.Confirm(signedToWire(request), new Metadata(), callLimit(), done));
  }

  close(): void {
    this.#client.close();
  }
}

function signedToWire(request: SignedRequest) {
  return {
    pairingId: request.pairingId,
    nonce: Buffer.from(request.nonce),
    identitySignature: Buffer.from(request.identitySignature),
  };
}

function decisionOn(
  stream: ClientReadableStream<DecisionEvent__Output>,
  onPending: (pairingId: string) => void,
  signal: AbortSignal,
): Promise<Decision> {
  return new Promise((resolve, reject) => {
    const stop = (): void => stream.cancel();
    signal.addEventListener('abort', stop, { once: true });
    const settle = (): void => signal.removeEventListener('abort', stop);
    stream.on('data', (event: DecisionEvent__Output) => {
      if (event.pending) {
        onPending(event.pairingId);
        return;
      }
      let decision: Decision | undefined;
      try {
        decision = decisionOf(event);
      } catch (thrown) {
        settle();
        stream.cancel();
        reject(thrown);
      }
      if (!decision) return;
      settle();
      resolve(decision);
    });
    stream.on('error', (error: ServiceError) => {
      settle();
      reject(fromStatus(error));
    });
    stream.on('end', () => {
      settle();
      reject(linkError('ended', 'The daemon ended the call before a decision'));
    });
  });
}

function decisionOf({ pairingId, ...event }: DecisionEvent__Output): Decision | undefined {
  if (event.approved) {
    return { kind: 'approved', pairingId, name: event.approved.name, ...grantFromWire(event.approved) };
  }
  if (event.rejected) return { kind: 'rejected', pairingId, reason: event.rejected.reason };
  return event.expired ? { kind: 'expired', pairingId } : undefined;
}
