import type {
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { transcriptDigest } from '../../actors/identity/transcript.js';
import type { BeginPeer } from '../../actors/pairing/attempts.js';
import type { BeginMethod, Enrolment, SignedCall } from '../../actors/pairing/enrolment.js';
import type { PairingRecord } from '../../actors/pairing/record.js';
import type { Returns } from '../../actors/pairing/returns.js';
import type { Clock } from '../../kernel/clock.js';
import type { KernelLog } from '../../kernel/log.js';
import { callRefusalLog } from './call-refusal-log.js';
import { factsFromWire, pluginsFromWire, protocolFromWire, protocolToWire } from './codec.js';
import { DecisionStreams, type DecisionStreamsOptions } from './decision-stream.js';
import type { AwaitDecisionRequest__Output } from './gen/palyra/node/v1/AwaitDecisionRequest.js';
import type { BeginReply } from './gen/palyra/node/v1/BeginReply.js';
import type { BeginRequest__Output } from './gen/palyra/node/v1/BeginRequest.js';
import type { ChallengeReply } from './gen/palyra/node/v1/ChallengeReply.js';
import type { ConfirmReply } from './gen/palyra/node/v1/ConfirmReply.js';
import type { ConfirmRequest__Output } from './gen/palyra/node/v1/ConfirmRequest.js';
import type { DecisionEvent } from './gen/palyra/node/v1/DecisionEvent.js';
import type { ProveReply } from './gen/palyra/node/v1/ProveReply.js';
import type { ProveRequest__Output } from './gen/palyra/node/v1/ProveRequest.js';
import type { ReturnRequest__Output } from './gen/palyra/node/v1/ReturnRequest.js';
import type { PeerCall } from './listener.js';
import { budgetKeyOf } from './peer-address.js';
import { beginReplyBytes, type Received } from './proto.js';
import { toStatus } from './status.js';

export interface EnrollmentServiceOptions extends DecisionStreamsOptions {
  readonly enrolment: Enrolment;
  readonly returns: Returns;
  readonly log: KernelLog;
  readonly clock: Clock;
  /** The peer's IP address of a call. */
  addressOf(call: PeerCall): string;
}

/** The enrolment port's handlers: they translate and delegate; what is allowed is decided in `actors/pairing`. */
export function enrollmentHandlers(options: EnrollmentServiceOptions): UntypedServiceImplementation {
  const { enrolment, returns, log, clock } = options;
  const refused = callRefusalLog(log, 'info', clock);
  const decisions = new DecisionStreams(options);

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

  /** A call on which a machine waits for the decision about its request. */
  const decision =
    <Request>(name: string, ask: (request: Request, address: string) => Promise<PairingRecord>) =>
    (call: ServerWritableStream<Request, DecisionEvent>): void => {
      const address = options.addressOf(call);
      const asked = Promise.resolve().then(() => ask(call.request, address));
      decisions.serve(call, asked, (err) =>
        refused({ err, rpc: name, peer: address }, 'Enrolment call refused'),
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
        caSha256: request.caSha256,
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
    AwaitDecision: decision<AwaitDecisionRequest__Output>('AwaitDecision', (request) =>
      enrolment.submit({
        ...signedCall(request),
        plugins: pluginsFromWire(request.plugins),
        proposedName: request.proposedName,
      }),
    ),
    Return: decision<ReturnRequest__Output>('Return', (request, address) =>
      returns.ask(address, {
        ...request,
        protocol: protocolFromWire(request.protocol),
        facts: factsFromWire(request.facts),
      }),
    ),
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
