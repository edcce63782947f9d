import type {
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { sendToSession, sessionAddress } from '../../actors/addresses.js';
import type { Devices } from '../../actors/device/devices.js';
import { sessionError } from '../../actors/errors.js';
import { FrameBatch } from '../../actors/link/batch.js';
import type { DaemonFrame } from '../../actors/link/frames.js';
import type { SessionLink } from '../../actors/session/machine.js';
import type { NodePeer, Sessions } from '../../actors/session/sessions.js';
import type { Clock } from '../../kernel/clock.js';
import type { Directory } from '../../kernel/directory.js';
import type { KernelLog } from '../../kernel/log.js';
import { daemonFrameToWire, nodeFrameFromWire, registeredToWire, registerFromWire } from './codec.js';
import type { DaemonFrame as WireDaemonFrame } from './gen/palyra/node/v1/DaemonFrame.js';
import type { NodeFrame__Output } from './gen/palyra/node/v1/NodeFrame.js';
import type { RegisterNodeReply } from './gen/palyra/node/v1/RegisterNodeReply.js';
import type { RegisterNodeRequest__Output } from './gen/palyra/node/v1/RegisterNodeRequest.js';
import type { PeerCall } from './listener.js';
import { toStatus } from './status.js';

export interface NodeServiceOptions {
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: KernelLog;
  /** Who TLS proved to be at the other end of a call. @throws AppError when the certificate names no device. */
  peerOf(call: PeerCall): NodePeer;
}

type EventsCall = ServerDuplexStream<NodeFrame__Output, WireDaemonFrame>;

/** The node port's handlers. Each call and each message is checked against the device of the connection's certificate. */
export function nodeHandlers(options: NodeServiceOptions): UntypedServiceImplementation {
  const { sessions, devices, log } = options;

  const authenticate = (call: PeerCall): NodePeer => {
    const peer = options.peerOf(call);
    devices.authenticate(peer.deviceId, peer.fingerprint);
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
            log.warn({ err, rpc: name, peer: call.getPeer() }, 'Node call refused');
            callback(toStatus(err));
          },
        );
    };

  return {
    RegisterNode: unary<RegisterNodeRequest__Output, RegisterNodeReply>(
      'RegisterNode',
      async (peer, request) => registeredToWire(await sessions.register(peer, registerFromWire(request))),
    ),
    Events: (call: EventsCall): void => {
      try {
        serveEvents(options, call, authenticate(call));
      } catch (err) {
        log.warn({ err, rpc: 'Events', peer: call.getPeer() }, 'Node call refused');
        call.emit('error', toStatus(err));
      }
    },
  };
}

/**
 * One stream: the first frame is Hello, everything after it goes to the session's actor. The stream ends when the actor
 * does, and the actor ends when the stream does.
 */
function serveEvents(options: NodeServiceOptions, call: EventsCall, peer: NodePeer): void {
  const { sessions, directory, clock, log } = options;
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
    unwatch();
    return first;
  };
  const link: SessionLink = {
    batch,
    end: () => {
      if (over()) batch.close(() => call.end());
    },
  };
  const fail = (err: unknown): void => {
    if (!over()) return;
    log.warn({ err, rpc: 'Events', device: peer.deviceId, address: peer.address }, 'Node stream refused');
    call.emit('error', toStatus(err));
  };
  const deliver = (wire: NodeFrame__Output): void => {
    sendToSession(directory, peer.deviceId, { type: 'frame', frame: nodeFrameFromWire(wire) });
  };

  call.on('data', (wire: NodeFrame__Output) => {
    if (phase === 'open') {
      if (wire.hello) fail(sessionError('protocol', 'Hello may only be the first frame of a stream'));
      else deliver(wire);
    } else if (phase === 'opening') {
      early.push(wire);
      if (early.length > 8) fail(sessionError('protocol', 'Frames came before Welcome'));
    } else if (phase === 'awaiting hello') {
      const hello = nodeFrameFromWire(wire).hello;
      if (!hello) {
        fail(sessionError('protocol', 'The first frame of a stream must be Hello'));
        return;
      }
      phase = 'opening';
      epoch = hello.epoch;
      sessions.open(peer, hello, link).then(() => {
        if (phase === 'over') {
          sendToSession(directory, peer.deviceId, {
            type: 'link.ended',
            epoch,
            reason: 'The stream ended while it opened',
          });
          return;
        }
        phase = 'open';
        unwatch = directory.watch(target, () => link.end());
        for (const frame of early.splice(0)) deliver(frame);
      }, fail);
    }
  });
  const ended = (reason: string): void => {
    const wasOpen = phase === 'open';
    if (!over()) return;
    if (wasOpen) sendToSession(directory, peer.deviceId, { type: 'link.ended', epoch, reason });
    call.end();
  };
  call.on('end', () => ended('The node ended the stream'));
  call.on('cancelled', () => ended('The connection is gone'));
  call.on('error', () => ended('The connection failed'));
}
