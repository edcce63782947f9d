import type { Clock } from '../../kernel/clock.js';
import { toAppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';

const foldMs = 10_000;
const maxKeys = 1_000;

/** A call that was answered with an error. `peer` is a device or an address. */
export interface RefusedCall {
  readonly rpc: string;
  readonly peer: string;
  readonly err: unknown;
}

/**
 * Logs refused calls: the same error of the same call from the same peer once in 10 s, with the number of times since.
 * Whoever reaches the port can make calls that are refused, and must not fill the disk with them.
 */
export function callRefusalLog(
  log: KernelLog,
  level: 'info' | 'warn',
  clock: Clock,
): (call: RefusedCall, message: string) => void {
  const folded = new Map<string, { readonly until: number; count: number }>();
  return ({ rpc, peer, err }, message) => {
    const key = `${rpc} ${peer} ${toAppError(err).code}`;
    const now = clock.monotonic();
    const entry = folded.get(key);
    if (entry && now < entry.until) {
      entry.count += 1;
      return;
    }
    if (folded.size >= maxKeys) folded.clear();
    folded.set(key, { until: now + foldMs, count: 0 });
    log[level]({ err, rpc, peer, ...(entry?.count ? { sinceThen: entry.count } : {}) }, message);
  };
}
