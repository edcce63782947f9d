import { type ChannelCredentials, type ChannelOptions, Metadata } from '@grpc/grpc-js';
import type { Grant, RenewCertificate } from '../../actors/device/renewals.js';
import type { ChallengeReply__Output } from './gen/palyra/node/v1/ChallengeReply.js';
import type { RenewCertificateReply__Output } from './gen/palyra/node/v1/RenewCertificateReply.js';
import { grantFromWire } from './grant-codec.js';
import { NodeService } from './proto.js';
import { callLimit, unaryCall } from './unary-call.js';

export interface RenewalTarget {
  /** `host:port` of the node port. */
  readonly address: string;
  /** With the certificate that is still in force. */
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/** The node port as a node calls it for its next certificate. One client is one connection. */
export class RenewalClient {
  readonly #client: InstanceType<typeof NodeService>;

  constructor({ address, credentials, options }: RenewalTarget) {
    this.#client = new NodeService(address, credentials, { ...options, 'grpc.enable_retries': 0 });
  }

  /** A nonce for the next signed call. */
  async challenge(): Promise<Buffer> {
    const { nonce } = await unaryCall<ChallengeReply__Output>((done) =>
      this.#client.Challenge({}, new Metadata(), callLimit(), done),
    );
    return nonce;
  }

  /** @throws AppError what the daemon answers, or `link.*`: ask again with the same request and a new nonce. */
  async renew(request: RenewCertificate): Promise<Grant> {
    const wire = {
      deviceId: request.deviceId,
      csr: Buffer.from(request.csr),
      identitySignature: Buffer.from(request.identitySignature),
      nonce: Buffer.from(request.nonce),
    };
    const reply = await unaryCall<RenewCertificateReply__Output>((done) =>
      this.#client.RenewCertificate(wire, new Metadata(), callLimit(), done),
    );
    return grantFromWire(reply);
  }

  close(): void {
    this.#client.close();
  }
}
