import { type ChannelCredentials, type ChannelOptions, Metadata } from '@grpc/grpc-js';
import type { LeaveDaemon } from '../../actors/device/leaving.js';
import { NodeService } from './proto.js';
import { callLimit, unaryCall } from './unary-call.js';

export interface LeaveTarget {
  /** `host:port` of the node port. */
  readonly address: string;
  /** With a certificate of the device that leaves, in force. */
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/**
 * Tells the daemon that this device is to be trusted no more. One call is one connection.
 *
 * @throws AppError what the daemon answers, or `link.*`.
 */
export async function callLeave(target: LeaveTarget, request: LeaveDaemon): Promise<void> {
  const client = new NodeService(target.address, target.credentials, {
    ...target.options,
    'grpc.enable_retries': 0,
  });
  try {
    await unaryCall<object>((done) => client.Leave(request, new Metadata(), callLimit(), done));
  } finally {
    client.close();
  }
}
