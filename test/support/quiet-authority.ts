import type { AuthorityInput } from '../../src/actors/authority/behaviour.js';
import { firstRecord } from '../../src/actors/authority/record.js';
import type { ServerCertificatePorts } from '../../src/actors/authority/server-certificate.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import type { Kernel } from '../../src/kernel/kernel.js';

/** Certificate authorities for a daemon tree that is about something else: nothing is ever due. */
export function quietAuthority({ deadlines, clock }: Kernel): {
  authority(): AuthorityInput;
  readonly serverCertificate: ServerCertificatePorts;
} {
  const never = Number.MAX_SAFE_INTEGER;
  return {
    serverCertificate: {
      deadlines,
      clock,
      backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 1_000, maxMs: 1_000, random: () => 0.5 }),
      renewalDue: () => never,
      renew: () => Promise.resolve(),
      failed: () => undefined,
    },
    authority: () => ({
      record: firstRecord(['ca'], clock.now()),
      ports: {
        deadlines,
        clock,
        overlapMs: never,
        rotationDue: () => never,
        make: () => Promise.reject(new Error('No CA is made here')),
        commit: (record) => Promise.resolve(record),
        apply: () => undefined,
        remove: () => Promise.resolve(),
        isKnownToAll: () => false,
        failed: () => undefined,
      },
    }),
  };
}
