import {
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { sessionError } from '../../actors/errors.js';
import { FrameBatch } from '../../actors/link/batch.js';
import type { DaemonFrame, Hello, NodeFrame, Registered, RegisterNode } from '../../actors/link/frames.js';
import type { UplinkHandlers, UplinkLink } from '../../actors/uplink/link.js';
import type { Clock } from '../../kernel/clock.js';
import { type AppError, toAppError } from '../../kernel/errors.js';
import { daemonFrameFromWire, nodeFrameToWire, registeredFromWire, registerToWire } from './codec.js';
import type { DaemonFrame__Output } from './gen/palyra/node/v1/DaemonFrame.js';
import type { NodeFrame as WireNodeFrame } from './gen/palyra/node/v1/NodeFrame.js';
import { NodeService } from './proto.js';
import { fromStatus, linkError } from './status.js';

export interface UplinkTarget {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
  /** SHA-256 of the certificate in `credentials`, hex. */
  readonly fingerprint: string;
  readonly clock: Clock;
  register(): RegisterNode;
  hello(epoch: number, surfaceDigest: string): Omit<Hello, 'handedOver'>;
}

const registerLimitMs = 15_000;
const channelOptions = {
  // A dead link is found within 15 s, whatever is or is not being said.
  'grpc.keepalive_time_ms': 8_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // The uplink has its own backoff: a channel that cannot connect says so at once.
  'grpc.enable_retries': 0,
};

/** Connects and registers; `hello` then opens the stream. Everything that happens is told to `handlers`; `ended` is the last. */
export function openUplink(target: UplinkTarget, handlers: UplinkHandlers): UplinkLink {
  const client = new NodeService(target.address, target.credentials, {
    ...channelOptions,
    ...target.options,
  });
  let stream: ClientDuplexStream<WireNodeFrame, DaemonFrame__Output> | undefined;
  let registered: Registered | undefined;
  let goodbye: DaemonFrame['goodbye'];
  /** Nothing can be written any more. */
  let isOver = false;
  /** The node has ended it: what is still to be said goes out, nothing is heard. */
  let isClosed = false;

  const over = (error: AppError | undefined): void => {
    if (isOver) return;
    isOver = true;
    client.close();
    if (!isClosed) handlers.ended(error);
  };
  const batch = new FrameBatch<NodeFrame>(
    (frame, written) => {
      if (stream && !isOver) stream.write(nodeFrameToWire(frame), () => written());
    },
    () => target.clock.now(),
  );

  const openStream = ({ epoch, surfaceDigest }: Registered, handedOver: boolean): void => {
    stream = client.Events();
    stream.on('data', (wire: DaemonFrame__Output) => {
      const frame = daemonFrameFromWire(wire);
      if (frame.goodbye) goodbye = frame.goodbye;
      if (!isOver && !isClosed) handlers.frame(frame);
    });
    stream.on('error', (error: ServiceError) => over(goodbye ? goodbyeError(goodbye) : fromStatus(error)));
    stream.on('end', () =>
      over(goodbye ? goodbyeError(goodbye) : linkError('ended', 'The daemon ended the stream')),
    );
    batch.set('hello', { ...target.hello(epoch, surfaceDigest), handedOver });
  };

  const register = registerToWire(target.register());
  client.RegisterNode(
    register,
    new Metadata(),
    { deadline: Date.now() + registerLimitMs },
    (error, reply) => {
      if (isOver || isClosed) return;
      if (error || !reply) {
        over(error ? fromStatus(error) : linkError('ended', 'The daemon answered with nothing'));
        return;
      }
      try {
        registered = registeredFromWire(reply);
        handlers.registered(registered);
      } catch (thrown) {
        over(toAppError(thrown));
      }
    },
  );

  return {
    batch,
    fingerprint: target.fingerprint,
    hello: (handedOver) => {
      if (registered && !isOver && !isClosed) openStream(registered, handedOver);
    },
    close: () => {
      if (isOver || isClosed) return;
      isClosed = true;
      batch.close(() => stream?.end());
      // The stream ends on its own when the daemon has answered; the channel goes when the stream has.
      if (stream) stream.on('status', () => client.close());
      else client.close();
    },
  };
}

/** Why the daemon ended the stream, as an error of the session. */
function goodbyeError(goodbye: NonNullable<DaemonFrame['goodbye']>): AppError {
  switch (goodbye.kind) {
    case 'revoked':
      return sessionError('revoked', `An operator has shut this node out: ${goodbye.reason}`, {
        hint: 'It stays out until an operator of the daemon lifts this: palyra devices lift',
      });
    case 'protocol_error':
      return sessionError('protocol', goodbye.reason);
    case 'certificate_expired':
      return sessionError('certificate_expired', goodbye.reason, {
        hint: 'The node comes back with the next one that it has, or asks for one.',
      });
    case 'shutdown':
    case 'replaced':
    case 'reconnect':
      return linkError('ended', goodbye.reason);
  }
}
