import { AuthorityRecords } from '../actors/authority/authority-records.js';
import type { OpenAuthority } from '../daemon/open-authority.js';
import type { IssuingAuthority } from '../daemon/tokens.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';

const never = Number.MAX_SAFE_INTEGER;

const authorities: IssuingAuthority = {
  issuing: { fingerprint: 'ca' },
  certificateFor: () => new Uint8Array(0),
  trusts: () => true,
  caCertificates: () => [],
  checkRequest: () => 'key',
  readDevice: () => undefined,
  issueDevice: () => Promise.reject(new Error('nobody pairs here')),
};

/** The CAs of a daemon as its parts take them. */
export type ModelAuthority = Pick<
  OpenAuthority,
  'records' | 'factsOf' | 'input' | 'serverCertificatePorts'
> & {
  readonly authorities: IssuingAuthority;
};

/** Certificate authorities for a daemon that is about something else: nothing is ever due, and nobody is issued anything. */
export async function quietAuthority(
  { deadlines, clock }: Pick<Kernel, 'deadlines' | 'clock'>,
  store: Store,
): Promise<ModelAuthority> {
  const onDisk = ['ca'];
  const records = await AuthorityRecords.open({ store, onDisk, overlapMs: never, now: clock.now() });
  return {
    authorities,
    records,
    factsOf: () => undefined,
    serverCertificatePorts: () => ({
      deadlines,
      clock,
      backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 1_000, maxMs: 1_000, random: () => 0.5 }),
      renewalDue: () => never,
      renew: () => Promise.resolve(),
      failed: () => undefined,
    }),
    input: () => ({
      record: records.current,
      ports: {
        deadlines,
        clock,
        overlapMs: never,
        rotationDue: () => never,
        make: () => Promise.reject(new Error('No CA is made here')),
        commit: (next, cause) => records.commit(next, cause),
        apply: () => undefined,
        remove: () => Promise.resolve(),
        isKnownToAll: () => false,
        failed: () => undefined,
      },
    }),
  };
}
