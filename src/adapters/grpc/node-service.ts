import type {
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { sendToSession, sessionAddress } from '../../actors/addresses.js';
import type { Devices } from '../../actors/device/devices.js';
import { leaveDaemon } from '../../actors/device/leaving.js';
import type { Renewals } from '../../actors/device/renewals.js';
import { sessionError } from '../../actors/errors.js';
import { FrameBatch } from '../../actors/link/batch.js';
import type { DaemonFrame } from '../../actors/link/frames.js';
import type { SessionLink } from '../../actors/session/machine.js';
import type { NodePeer, Sessions } from '../../actors/session/sessions.js';
import { verifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import type { KernelLog } from '../../kernel/log.js';
import { callRefusalLog, type RefusedCall } from './call-refusal-log.js';
import { daemonFrameToWire, nodeFrameFromWire, registeredToWire, registerFromWire } from './codec.js';
import { checkNodeFrame } from './frame-limits.js';
import type { ChallengeReply } from './gen/palyra/node/v1/ChallengeReply.js';
import type { DaemonFrame as WireDaemonFrame } from './gen/palyra/node/v1/DaemonFrame.js';
import type { LeaveReply } from './gen/palyra/node/v1/LeaveReply.js';
import type { LeaveRequest__Output } from './gen/palyra/node/v1/LeaveRequest.js';
import type { NodeFrame__Output } from './gen/palyra/node/v1/NodeFrame.js';
import type { RegisterNodeReply } from './gen/palyra/node/v1/RegisterNodeReply.js';
import type { RegisterNodeRequest__Output } from './gen/palyra/node/v1/RegisterNodeRequest.js';
import type { RenewCertificateReply } from './gen/palyra/node/v1/RenewCertificateReply.js';
import type { RenewCertificateRequest__Output } from './gen/palyra/node/v1/RenewCertificateRequest.js';
import { grantToWire } from './grant-codec.js';
import type { PeerCall } from './listener.js';
import { toStatus } from './status.js';

export interface NodeServiceOptions {
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly renewals: Renewals;
  readonly directory: Directory;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: KernelLog;
  /** Who TLS proved to be at the other end of a call. @throws AppError when the certificate names no device. */
  peerOf(call: PeerCall): NodePeer;
}

/** How long a stream may take to say Hello, milliseconds. */
const helloLimitMs = 10_000;
/** What may wait for a node that does not read: more than its window and all acks that a node in order is owed. */
const maxBacklog = 65_536;

type Refused = (call: RefusedCall, message: string) => void;
type EventsCall = ServerDuplexStream<NodeFrame__Output, WireDaemonFrame>;

/** The node port's handlers. Each call and each message is checked against the device of the connection's certificate. */
export function nodeHandlers(options: NodeServiceOptions): UntypedServiceImplementation {
  const { sessions, devices, renewals, log, clock } = options;
  const refused = callRefusalLog(log, 'warn', clock);

  const authenticate = (call: PeerCall): NodePeer => {
    const peer = options.peerOf(call);
    requireTrust(options, peer);
    return peer;
  };

  /** A unary handler whose caller is a trusted device with a certificate that is in force. */
  const unary =
    <Request, Reply>(name: string, handle: (peer: NodePeer, request: Request) => Promise<Reply>) =>
    (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>): void => {
      Promise.resolve()
        .then(() => handle(authenticate(call), call.request))
        .then(
          (reply) => callback(null, reply),
          (err: unknown) => {
            refused({ err, rpc: name, peer: nameOf(options, call) }, 'Node call refused');
            callback(toStatus(err));
          },
        );
    };

  return {
    RegisterNode: unary<RegisterNodeRequest__Output, RegisterNodeReply>(
      'RegisterNode',
      async (peer, request) => registeredToWire(await sessions.register(peer, registerFromWire(request))),
    ),
    Challenge: unary<object, ChallengeReply>('Challenge', async () => ({ nonce: renewals.challenge() })),
    RenewCertificate: unary<RenewCertificateRequest__Output, RenewCertificateReply>(
      'RenewCertificate',
      async (peer, request) => grantToWire(await renewals.renew(peer, request)),
    ),
    Leave: unary<LeaveRequest__Output, LeaveReply>('Leave', async (peer, request) => {
      // Authenticated by `unary`: its certificate was issued here, is in force, and its device is trusted.
      const { deviceId, fingerprint } = peer;
      await leaveDaemon(devices, peer, verifiedCaller({ kind: 'device', deviceId, fingerprint }), request);
      return {};
    }),
    Events: (call: EventsCall): void => {
      try {
        serveEvents(options, refused, call, authenticate(call));
      } catch (err) {
        refused({ err, rpc: 'Events', peer: nameOf(options, call) }, 'Node call refused');
        call.emit('error', toStatus(err));
      }
    },
  };
}

/**
 * The peer is a trusted device and its certificate is in force. TLS has checked the certificate when the connection was
 * opened; a connection may outlive it, and the trust.
 */
function requireTrust({ devices, clock }: NodeServiceOptions, peer: NodePeer): void {
  devices.authenticate(peer.deviceId, peer.fingerprint);
  if (clock.now() < peer.certificateEnds) return;
  throw sessionError('certificate_expired', 'The certificate of this connection has ended', {
    hint: 'Connect again with a certificate that is in force.',
  });
}

/** Who is refused, for the log: the device, or what is known of a peer that is none. */
function nameOf(options: NodeServiceOptions, call: PeerCall): string {
  try {
    return options.peerOf(call).deviceId;
  } catch {
    return call.getPeer();
  }
}

/**
 * One stream: the first frame is Hello, everything after it goes to the session's actor. The stream ends when the actor
 * does, and the actor ends when the stream does.
 */
function serveEvents(options: NodeServiceOptions, refused: Refused, call: EventsCall, peer: NodePeer): void {
  const { sessions, directory, deadlines, clock } = options;
  const target = sessionAddress(peer.deviceId);
  let phase: 'awaiting hello' | 'opening' | 'open' | 'over' = 'awaiting hello';
  let epoch = 0;
  let unwatch = (): void => {};
  const early: NodeFrame__Output[] = [];

  const batch = new FrameBatch<DaemonFrame>(
    (frame, written) => call.write(daemonFrameToWire(frame), () => written()),
    () => clock.now(),
  );
  const over = (): boolean => {
    const first = phase !== 'over';
    phase = 'over';
    deadlines.release(call);
    unwatch();
    return first;
  };
  const link: SessionLink = {
    batch,
    end: () => {
      if (over()) batch.close(() => call.end());
    },
  };
  const endSession = (reason: string): void => {
    sendToSession(directory, peer.deviceId, { type: 'link.ended', epoch, reason });
  };
  const fail = (err: unknown): void => {
    const wasOpen = phase === 'open';
    if (!over()) return;
    refused({ err, rpc: 'Events', peer: peer.deviceId }, 'Node stream refused');
    if (wasOpen) endSession('The node broke the protocol');
    call.emit('error', toStatus(err));
  };
  const deliver = (wire: NodeFrame__Output): void => {
    const frame = nodeFrameFromWire(wire);
    checkNodeFrame(frame);
    sendToSession(directory, peer.deviceId, { type: 'frame', frame });
    if (batch.backlog > maxBacklog) {
      throw sessionError('protocol', `The node does not read: ${batch.backlog} messages wait for it`);
    }
  };
  deadlines.set(
    call,
    helloLimitMs,
    () => fail(sessionError('protocol', 'The stream was opened without Hello')),
    { label: 'hello' },
  );

  const take = (wire: NodeFrame__Output): void => {
    requireTrust(options, peer);
    if (phase === 'open') {
      if (wire.hello) throw sessionError('protocol', 'Hello may only be the first frame of a stream');
      deliver(wire);
    } else if (phase === 'opening') {
      early.push(wire);
      if (early.length > 8) throw sessionError('protocol', 'Frames came before Welcome');
    } else if (phase === 'awaiting hello') {
      const first = nodeFrameFromWire(wire);
      const { hello } = first;
      if (!hello) throw sessionError('protocol', 'The first frame of a stream must be Hello');
      checkNodeFrame(first);
      deadlines.release(call);
      phase = 'opening';
      epoch = hello.epoch;
      sessions.open(peer, hello, link).then(() => {
        if (phase === 'over') {
          endSession('The stream ended while it opened');
          return;
        }
        phase = 'open';
        unwatch = directory.watch(target, () => link.end());
        for (const frame of early.splice(0)) guarded(frame);
      }, fail);
    }
  };
  const guarded = (wire: NodeFrame__Output): void => {
    if (phase === 'over') return;
    try {
      take(wire);
    } catch (err) {
      fail(err);
    }
  };
  call.on('data', guarded);
  const ended = (reason: string): void => {
    const wasOpen = phase === 'open';
    if (!over()) return;
    if (wasOpen) endSession(reason);
    call.end();
  };
  call.on('end', () => ended('The node ended the stream'));
  call.on('cancelled', () => ended('The connection is gone'));
  call.on('error', () => ended('The connection failed'));
}
