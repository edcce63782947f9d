import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Directory } from '../../kernel/directory.js';
import { daemonParts } from '../addresses.js';
import type { Devices } from '../device/devices.js';
import type { AuthorityRecords } from './authority-records.js';
import type { AuthorityEvent, AuthorityReply } from './events.js';
import type { AuthorityRecord } from './record.js';
import type { AuthorityControl, AuthorityView, RotateAuthority } from './view.js';

/** What is known of a CA certificate. Times are milliseconds since the epoch. */
export interface CaFacts {
  readonly caId: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthoritiesControlOptions {
  readonly records: AuthorityRecords;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly overlapMs: number;
  /** Undefined when it is not on the disk any more. */
  factsOf(fingerprint: string): CaFacts | undefined;
}

/** Making a key of RSA-3072 takes seconds on a slow machine. */
const askTimeoutMs = 60_000;
/** Nodes that have not moved are named up to this many. */
const maxNames = 20;

/** What operators see of the daemon's CAs and do with them. */
export class AuthoritiesControl implements AuthorityControl {
  readonly #options: AuthoritiesControlOptions;

  constructor(options: AuthoritiesControlOptions) {
    this.#options = options;
  }

  async show(_caller: VerifiedCaller): Promise<AuthorityView> {
    return this.#view(this.#options.records.current);
  }

  async rotate(caller: VerifiedCaller, { overlapMs, reason, now }: RotateAuthority): Promise<AuthorityView> {
    const record = await this.#ask((reply) => ({
      type: 'rotate',
      caller,
      overlapMs: overlapMs ?? this.#options.overlapMs,
      reason,
      reply,
    }));
    if (now) await this.#orderAll(caller, reason);
    return this.#view(record);
  }

  async forget(caller: VerifiedCaller, fingerprint: string, reason: string): Promise<AuthorityView> {
    return this.#view(await this.#ask((reply) => ({ type: 'forget', caller, fingerprint, reason, reply })));
  }

  #ask(event: (reply: AuthorityReply) => AuthorityEvent): Promise<AuthorityRecord> {
    return this.#options.directory.ask(daemonParts.authority, event, { timeoutMs: askTimeoutMs });
  }

  /** Each trusted device is to renew now, or when it is back, and so learns the new CA. */
  async #orderAll(caller: VerifiedCaller, reason: string): Promise<void> {
    const { devices } = this.#options;
    const isTrusted = (id: string): boolean => devices.get(id)?.state === 'trusted';
    for (const { id } of [...devices.all()]) {
      if (!isTrusted(id)) continue;
      try {
        await devices.decide(id, { type: 'rotate', caller, reason });
      } catch (thrown) {
        // One that is shut out in the same moment needs no order, and the others get theirs all the same.
        if (isTrusted(id)) throw thrown;
      }
    }
  }

  #view({ cas, rotation }: AuthorityRecord): AuthorityView {
    const issuing = cas.find(({ state }) => state === 'issuing')?.fingerprint ?? '';
    const users = usersByCa(this.#options.devices);
    const behind = devicesBehind(this.#options.devices, issuing);
    return {
      cas: cas.flatMap((ca) => {
        const facts = this.#options.factsOf(ca.fingerprint);
        return facts === undefined ? [] : [{ ...ca, devices: users.get(ca.fingerprint) ?? 0, ...facts }];
      }),
      ...(rotation === undefined
        ? {}
        : {
            rotation: {
              by: rotation.by,
              reason: rotation.reason,
              startedAt: rotation.startedAt,
              endsAt: rotation.endsAt,
              behind: behind.length,
              behindNames: behind.slice(0, maxNames).map(({ name, id }) => name || id),
            },
          }),
    };
  }
}

/** How many trusted devices use a certificate of each CA as their newest. */
function usersByCa(devices: Devices): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const { state, certificates } of devices.all()) {
    const newest = certificates.findLast(({ pending }) => pending === undefined);
    if (state === 'trusted' && newest) users.set(newest.issuer, (users.get(newest.issuer) ?? 0) + 1);
  }
  return users;
}

/** The trusted devices that have not used a certificate of a CA, and so may not know it. */
export function devicesBehind(devices: Devices, fingerprint: string) {
  return [...devices.all()].filter(
    ({ state, certificates }) =>
      state === 'trusted' &&
      !certificates.some(({ issuer, pending }) => issuer === fingerprint && pending === undefined),
  );
}
