import { AuthorityRecords } from '../actors/authority/authority-records.js';
import type { AuthorityInput, AuthorityPorts } from '../actors/authority/behaviour.js';
import { type CaFacts, devicesBehind } from '../actors/authority/control.js';
import { standingOf } from '../actors/authority/record.js';
import type { ServerCertificatePorts } from '../actors/authority/server-certificate.js';
import type { Devices } from '../actors/device/devices.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import { Authorities, type AuthorityOptions } from './authorities.js';
import type { DaemonConfig } from './config/daemon-config.js';
import { ServerCertificates } from './server-certificate.js';

/** The daemon's CAs, opened: what they are used for, and what the actors work with. */
export interface OpenAuthority {
  readonly authorities: Authorities;
  readonly certificates: ServerCertificates;
  readonly records: AuthorityRecords;
  factsOf(fingerprint: string): CaFacts | undefined;
  /** What the actor of the CAs starts from. */
  input(devices: Devices): AuthorityInput;
  serverCertificatePorts(): ServerCertificatePorts;
}

/** What is left of a CA's life when the next one is made without anybody's word. */
const lastSixth = 1 / 6;

/**
 * Opens the CAs and the daemon's own certificates.
 *
 * @throws AppError `pki.invalid_key` when a CA is there without its key, `passphrase.*`.
 */
export async function openAuthority(
  kernel: Kernel,
  store: Store,
  config: DaemonConfig,
  options: AuthorityOptions,
): Promise<OpenAuthority> {
  const { clock } = kernel;
  const overlapMs = config.certificates.caOverlapMs;
  const authorities = await Authorities.open(options);
  const records = await AuthorityRecords.open({
    store,
    onDisk: authorities.fingerprints,
    overlapMs,
    now: clock.now(),
  });
  authorities.apply(standingOf(records.current));
  const certificates = await ServerCertificates.open(authorities, config, options);

  return {
    authorities,
    certificates,
    records,
    factsOf: (fingerprint) => {
      if (!authorities.fingerprints.includes(fingerprint)) return undefined;
      const { caId, notBefore, notAfter } = authorities.get(fingerprint);
      return { caId, notBefore, notAfter };
    },
    serverCertificatePorts: () => certificates.ports(kernel),
    input: (devices) => {
      // An actor that died may have recorded a change and not heard of it.
      authorities.apply(standingOf(records.current));
      return {
        record: records.current,
        ports: portsOf({ kernel, authorities, certificates, records, devices, overlapMs }),
      };
    },
  };
}

interface PortParts {
  readonly kernel: Kernel;
  readonly authorities: Authorities;
  readonly certificates: ServerCertificates;
  readonly records: AuthorityRecords;
  readonly devices: Devices;
  readonly overlapMs: number;
}

/** What the actor of the CAs works with. */
function portsOf(parts: PortParts): AuthorityPorts {
  const { kernel, authorities, certificates, records, devices, overlapMs } = parts;
  const { clock, deadlines, log } = kernel;
  return {
    deadlines,
    clock,
    overlapMs,
    rotationDue: () => {
      const { notBefore, notAfter } = authorities.issuing;
      return notAfter - (notAfter - notBefore) * lastSixth;
    },
    make: async (known) => {
      const fingerprint = await authorities.make(known);
      // Before anybody is told of it: a join string pins it from the moment that it issues.
      await certificates.renew();
      return fingerprint;
    },
    commit: (next, cause) => records.commit(next, cause),
    apply: (record) => {
      authorities.apply(standingOf(record));
      const cas = record.cas.map(({ fingerprint, state }) => `${fingerprint} ${state}`);
      log.info({ state: record.state, cas }, 'The CAs have changed');
    },
    remove: (fingerprint) => authorities.remove(fingerprint),
    isKnownToAll: (fingerprint) => devicesBehind(devices, fingerprint).length === 0,
    failed: (err) => log.error({ err }, 'The CAs could not be changed; it is tried again in a minute'),
  };
}
