import type {
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { transcriptDigest } from '../../actors/identity/transcript.js';
import type { BeginPeer } from '../../actors/pairing/attempts.js';
import type { BeginMethod, Enrolment, SignedCall } from '../../actors/pairing/enrolment.js';
import type { Pairings } from '../../actors/pairing/pairings.js';
import type { PairingRecord } from '../../actors/pairing/record.js';
import type { Clock } from '../../kernel/clock.js';
import type { KernelLog } from '../../kernel/log.js';
import { callRefusalLog } from './call-refusal-log.js';
import { factsFromWire, pluginsFromWire, protocolFromWire, protocolToWire } from './codec.js';
import type { AwaitDecisionRequest__Output } from './gen/palyra/node/v1/AwaitDecisionRequest.js';
import type { BeginReply } from './gen/palyra/node/v1/BeginReply.js';
import type { BeginRequest__Output } from './gen/palyra/node/v1/BeginRequest.js';
import type { ChallengeReply } from './gen/palyra/node/v1/ChallengeReply.js';
import type { ConfirmReply } from './gen/palyra/node/v1/ConfirmReply.js';
import type { ConfirmRequest__Output } from './gen/palyra/node/v1/ConfirmRequest.js';
import type { DecisionEvent } from './gen/palyra/node/v1/DecisionEvent.js';
import type { ProveReply } from './gen/palyra/node/v1/ProveReply.js';
import type { ProveRequest__Output } from './gen/palyra/node/v1/ProveRequest.js';
import type { PeerCall } from './listener.js';
import { budgetKeyOf } from './peer-address.js';
import { beginReplyBytes, type Received } from './proto.js';
import { toStatus } from './status.js';

export interface EnrollmentServiceOptions {
  readonly enrolment: Enrolment;
  readonly pairings: Pairings;
  readonly log: KernelLog;
  readonly clock: Clock;
  /** CA certificates (PEM) that verify the daemon. */
  caCertificates(): readonly string[];
  nodeAddresses(): readonly string[];
  enrollmentAddresses(): readonly string[];
  /** The peer's IP address of a call. */
  addressOf(call: PeerCall): string;
}

/** How often a waiting node is told that its request is still pending, milliseconds. */
const pendingIntervalMs = 20_000;
const streamsPerPairing = 4;

/** The enrolment port's handlers: they translate and delegate; what is allowed is decided in `actors/pairing`. */
export function enrollmentHandlers(options: EnrollmentServiceOptions): UntypedServiceImplementation {
  const { enrolment, log, clock } = options;
  const refused = callRefusalLog(log, 'info', clock);
  const waiting = new Map<string, (() => void)[]>();

  /** A unary handler from an async function; its errors become the status of the call. */
  const unary =
    <Request, Reply>(name: string, handle: (request: Request, address: string) => Promise<Reply> | Reply) =>
    (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>): void => {
      const address = options.addressOf(call);
      Promise.resolve()
        .then(() => handle(call.request, address))
        .then(
          (reply) => callback(null, reply),
          (err: unknown) => {
            refused({ err, rpc: name, peer: address }, 'Enrolment call refused');
            callback(toStatus(err));
          },
        );
    };

  return {
    Begin: unary<BeginRequest__Output & Received, BeginReply>('Begin', (request, address) => {
      const answer = enrolment.begin(peerOf(address), {
        protocol: protocolFromWire(request.protocol),
        identityKey: request.identityKey,
        nonce: request.nonce,
        csrDigest: request.csrDigest,
        surfaceDigest: request.surfaceDigest,
        facts: factsFromWire(request.facts),
        method: methodOf(request),
      });
      const reply: BeginReply = {
        protocol: protocolToWire(answer.protocol),
        attemptId: answer.attemptId,
        nonce: Buffer.from(answer.nonce),
        caCertificate: Buffer.from(answer.caCertificate),
        ...(answer.share && { pin: { share: Buffer.from(answer.share) } }),
      };
      enrolment.bind(answer.attemptId, transcriptDigest(request.received, beginReplyBytes(reply)));
      return reply;
    }),
    Prove: unary<ProveRequest__Output, ProveReply>('Prove', async (request) => {
      const { pairing, confirmation } = await enrolment.prove({
        attemptId: request.attemptId,
        csr: request.csr,
        identitySignature: request.identitySignature,
        joinSignature: request.joinSignature ?? new Uint8Array(0),
        pinConfirmation: request.pinConfirmation ?? new Uint8Array(0),
      });
      return {
        pairingId: pairing.id,
        wordsTranscript: Buffer.from(pairing.wordsTranscript, 'hex'),
        pinConfirmation: Buffer.from(confirmation),
      };
    }),
    Challenge: unary<object, ChallengeReply>('Challenge', () => ({ nonce: enrolment.challenge() })),
    AwaitDecision: (call: ServerWritableStream<AwaitDecisionRequest__Output, DecisionEvent>): void => {
      awaitDecision(options, { refused, waiting }, call);
    },
    Confirm: unary<ConfirmRequest__Output, ConfirmReply>('Confirm', async (request) => {
      await enrolment.confirm(signedCall(request));
      return {};
    }),
  };
}

/** Who calls, and what budgets are kept by. */
function peerOf(address: string): BeginPeer {
  const { key, network } = budgetKeyOf(address);
  return { address, budgetKey: key, network };
}

function methodOf({ join, pin }: BeginRequest__Output): BeginMethod {
  if (pin) return { kind: 'pin', slot: pin.slot, share: pin.share };
  return { kind: 'join', codeId: join?.codeId ?? '' };
}

function signedCall(request: ConfirmRequest__Output | AwaitDecisionRequest__Output): SignedCall {
  return { pairingId: request.pairingId, nonce: request.nonce, identitySignature: request.identitySignature };
}

interface Waiting {
  readonly refused: ReturnType<typeof callRefusalLog>;
  /** By pairing: how to end each stream that waits for it, oldest first. */
  readonly waiting: Map<string, (() => void)[]>;
}

function awaitDecision(
  options: EnrollmentServiceOptions,
  { refused, waiting }: Waiting,
  call: ServerWritableStream<AwaitDecisionRequest__Output, DecisionEvent>,
): void {
  const { enrolment, pairings } = options;
  let finished = false;
  let unwatch = (): void => {};
  let pending: NodeJS.Timeout | undefined;
  const finish = (): void => {
    finished = true;
    unwatch();
    clearInterval(pending);
    leave();
  };
  const giveWay = (): void => {
    finish();
    call.end();
  };
  let leave = (): void => {};
  const tell = (record: PairingRecord): void => {
    if (finished) return;
    const event = decisionEvent(options, record);
    if (!event) return;
    call.write(event);
    if (event.pending) return;
    finish();
    call.end();
  };
  call.on('cancelled', finish);
  enrolment
    .submit({
      ...signedCall(call.request),
      plugins: pluginsFromWire(call.request.plugins),
      proposedName: call.request.proposedName,
    })
    .then(
      (record) => {
        if (finished) return;
        leave = join(waiting, record.id, giveWay);
        unwatch = pairings.watch(record.id, tell);
        pending = setInterval(() => tell(pairings.get(record.id) ?? record), pendingIntervalMs);
        tell(record);
      },
      (err: unknown) => {
        finish();
        refused({ err, rpc: 'AwaitDecision', peer: options.addressOf(call) }, 'Enrolment call refused');
        call.emit('error', toStatus(err));
      },
    );
}

/**
 * Lets a stream wait for a pairing; beyond a few, the one that has waited longest gives way. A machine needs one, and has
 * more only until its lost ones are noticed. Returns the function that ends this.
 */
function join(waiting: Waiting['waiting'], pairingId: string, giveWay: () => void): () => void {
  const streams = waiting.get(pairingId) ?? [];
  waiting.set(pairingId, streams);
  streams.push(giveWay);
  const leave = (): void => {
    const at = streams.indexOf(giveWay);
    if (at !== -1) streams.splice(at, 1);
    if (streams.length === 0 && waiting.get(pairingId) === streams) waiting.delete(pairingId);
  };
  if (streams.length > streamsPerPairing) streams[0]?.();
  return leave;
}

/** What a waiting node is told of its pairing; undefined while there is nothing to tell. */
function decisionEvent(options: EnrollmentServiceOptions, record: PairingRecord): DecisionEvent | undefined {
  switch (record.state) {
    case 'proving':
      return undefined;
    case 'pending_approval':
      return { pending: { expiresInMs: Math.max(0, record.expiresAt - record.updatedAt) } };
    case 'approved':
    case 'completed':
      return {
        approved: {
          certificate: record.certificate ?? '',
          caCertificates: [...options.caCertificates()],
          nodeAddresses: [...options.nodeAddresses()],
          enrollmentAddresses: [...options.enrollmentAddresses()],
          name: record.decision?.name ?? '',
        },
      };
    case 'rejected':
    case 'cancelled':
      return { rejected: { reason: record.decision?.reason ?? '' } };
    case 'expired':
      return { expired: {} };
  }
}
