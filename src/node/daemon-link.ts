import type { LeaveDaemon } from '../actors/device/leaving.js';
import type { UplinkHandlers, UplinkLink } from '../actors/uplink/link.js';
import { EnrollmentClient } from '../adapters/grpc/enrollment-client.js';
import { callLeave } from '../adapters/grpc/leave-client.js';
import { channelOptionsFor, pinnedCredentials } from '../adapters/grpc/pinned-channel.js';
import { RenewalClient } from '../adapters/grpc/renewal-client.js';
import { openUplink, type UplinkTarget } from '../adapters/grpc/uplink-link.js';
import type { Credential } from './credentials.js';

/** A port of a daemon, and by what it is recognised there. */
export interface LinkTarget {
  /** `host:port`. */
  readonly address: string;
  /** CA certificates (PEM): the daemon must have a certificate of one of them, and is told of the first that it is known. */
  readonly caCertificates: readonly string[];
}

/** The node port, with the certificate that the node shows there. */
export interface NodePortTarget extends LinkTarget {
  readonly credential: Credential;
}

/** What a node says of itself when it opens its line. */
export type UplinkSayings = Pick<UplinkTarget, 'clock' | 'register' | 'hello'>;

/** Asks for the next certificate. One of these is one connection. */
export type RenewalCalls = Pick<RenewalClient, 'challenge' | 'renew' | 'close'>;

/** Comes back without a certificate. One of these is one connection. */
export type ReturnCalls = Pick<EnrollmentClient, 'challenge' | 'comeBack' | 'confirm' | 'close'>;

/**
 * How an enrolled node reaches its daemon. Both sides verify each other's certificates before anything is said: chain, name
 * and time.
 */
export interface DaemonLink {
  /** Connects to the node port and registers; everything that happens is told to `handlers`. */
  openUplink(target: NodePortTarget, sayings: UplinkSayings, handlers: UplinkHandlers): UplinkLink;
  /** The node port. */
  renewals(target: NodePortTarget): RenewalCalls;
  /** The enrolment port. */
  returns(target: LinkTarget): ReturnCalls;
}

/** gRPC over TLS 1.3. */
export const grpcLink: DaemonLink = {
  openUplink: (target, sayings, handlers) =>
    openUplink({ ...channelTo(target), ...sayings, fingerprint: target.credential.fingerprint }, handlers),
  renewals: (target) => new RenewalClient(channelTo(target)),
  returns: ({ address, caCertificates }) =>
    new EnrollmentClient(address, pinnedCredentials({ caCertificates }), channelOptionsFor(caCertificates)),
};

/**
 * Tells the daemon on its node port that this device is to be trusted no more.
 *
 * @throws AppError what the daemon answers, or `link.*`.
 */
export function grpcLeave(target: NodePortTarget, request: LeaveDaemon): Promise<void> {
  return callLeave(channelTo(target), request);
}

function channelTo({ address, caCertificates, credential }: NodePortTarget) {
  return {
    address,
    credentials: pinnedCredentials({ caCertificates, clientCert: credential }),
    options: channelOptionsFor(caCertificates),
  };
}
