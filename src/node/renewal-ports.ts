import { sendToUplink } from '../actors/addresses.js';
import { signEd25519 } from '../actors/identity/ed25519.js';
import { signedStatement } from '../actors/identity/transcript.js';
import type { RenewalPorts, RenewalStatus } from '../actors/renewal/behaviour.js';
import { pinnedChannelOptions, pinnedCredentials } from '../adapters/grpc/pinned-channel.js';
import { RenewalClient } from '../adapters/grpc/renewal-client.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import type { Kernel } from '../kernel/kernel.js';
import { isRefusal } from './capability-host.js';
import type { Credentials } from './credentials.js';
import type { DaemonTime } from './daemon-time.js';
import type { Identity } from './identity-store.js';
import type { Reporter } from './reporter.js';

export interface RenewalParts {
  readonly kernel: Kernel;
  readonly identity: Identity;
  readonly credentials: Credentials;
  readonly daemonTime: DaemonTime;
  readonly report: Reporter;
}

/** What the renewal of the node's certificate works with: its keys on disk, and the node port. */
export function renewalPorts({
  kernel,
  identity,
  credentials,
  daemonTime,
  report,
}: RenewalParts): RenewalPorts {
  const { clock, deadlines, directory, random, log } = kernel;
  let attempts = 0;
  return {
    deadlines,
    clock,
    random,
    backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 2_000, maxMs: 300_000, random }),
    daemonNow: () => daemonTime.now(),
    newest: () => credentials.newest,
    hasRequest: () => credentials.hasRequest,
    prepare: async () => {
      await credentials.prepare();
    },
    renew: async () => {
      const { csr, csrDigest } = await credentials.prepare();
      const { nodeAddresses, caCertificates } = credentials.membership;
      const clientCert = credentials.choose(attempts, daemonTime.now());
      const client = new RenewalClient({
        address: nodeAddresses[attempts++ % nodeAddresses.length] ?? '',
        credentials: pinnedCredentials({ caCertificates, clientCert }),
        options: pinnedChannelOptions,
      });
      try {
        const { deviceId, identityKey } = identity;
        const nonce = await client.challenge();
        const statement = signedStatement({ rpc: 'RenewCertificate', subject: deviceId, csrDigest, nonce });
        return await client.renew({
          deviceId,
          csr,
          nonce,
          identitySignature: signEd25519(identityKey, statement),
        });
      } finally {
        client.close();
      }
    },
    store: (grant) => credentials.adopt(grant),
    forgetPrevious: (fingerprint) => {
      credentials.forgetPrevious(fingerprint).catch((err: unknown) => {
        log.error({ err }, 'The certificate before the newest could not be deleted');
      });
    },
    changed: () => sendToUplink(directory, { type: 'certificate.changed' }),
    isRefusal,
    status: (status) => reportStatus(status, report),
  };
}

function reportStatus(status: RenewalStatus, report: Reporter): void {
  switch (status.state) {
    case 'renewing':
      report({ event: 'renewing', reason: status.reason });
      break;
    case 'renewed':
      report({ event: 'renewed', certificateEndsAt: new Date(status.notAfter).toISOString() });
      break;
    case 'retrying':
      report({
        event: 'retrying',
        what: 'renewing the certificate',
        retryInMs: status.delayMs,
        error: status.error.toEnvelope(),
      });
      break;
    case 'resting':
      report({ event: 'refused', retryInMs: status.delayMs, error: status.error.toEnvelope() });
      break;
  }
}
