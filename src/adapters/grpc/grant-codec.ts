import type { Grant } from '../../actors/device/renewals.js';
import type {
  RenewCertificateReply,
  RenewCertificateReply__Output,
} from './gen/palyra/node/v1/RenewCertificateReply.js';
import { linkError } from './status.js';

/** What a node gets with its certificate, as it is sent. */
export function grantToWire(grant: Grant): RenewCertificateReply {
  return {
    certificate: grant.certificate,
    caCertificates: [...grant.caCertificates],
    nodeAddresses: [...grant.nodeAddresses],
    enrollmentAddresses: [...grant.enrollmentAddresses],
  };
}

/**
 * What a daemon gives with a certificate. A node that stored less could never come back.
 *
 * @throws AppError `link.incomplete` when a part is missing: ask again.
 */
export function grantFromWire({ certificate, ...lists }: GrantOnWire): Grant {
  const { caCertificates, nodeAddresses, enrollmentAddresses } = lists;
  const missing = certificate === '' ? 'certificate' : grantLists.find((name) => lists[name].length === 0);
  if (missing !== undefined) {
    throw linkError('incomplete', `The daemon's answer has no ${missing}`, {
      hint: 'It is asked again. Look at the log of the daemon if this goes on.',
    });
  }
  return { certificate, caCertificates, nodeAddresses, enrollmentAddresses };
}

type GrantOnWire = Pick<RenewCertificateReply__Output, 'certificate' | (typeof grantLists)[number]>;

const grantLists = ['caCertificates', 'nodeAddresses', 'enrollmentAddresses'] as const;
