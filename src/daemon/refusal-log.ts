import type { Refusal } from '../adapters/grpc/refusal.js';
import type { Clock } from '../kernel/clock.js';
import type { KernelLog } from '../kernel/log.js';

const foldMs = 10_000;
const maxKeys = 1_000;

/** What an operator should read about a refused connection. */
const meaning: Readonly<Record<Refusal['reason'], string>> = {
  budget: 'a limit of connections is reached',
  no_certificate: 'it showed no client certificate: machines enrol on the enrolment port first',
  untrusted_certificate: 'its certificate is not of this daemon',
  expired: 'its certificate has expired: its host asks to come back, see palyra pairings list',
  not_yet_valid: 'its certificate is not valid yet: check the clocks',
  not_a_device: 'its certificate names no device',
  handshake_timeout: 'it did not finish the TLS handshake in time',
  no_http2: 'it does not speak HTTP/2',
  hung_up: 'it hung up during the TLS handshake',
  tls_failure: 'the TLS handshake failed',
};

/**
 * Logs refused connections, the same reason from the same address once in 10 s with the number of times: a flood of
 * connections must not become a flood of log lines.
 */
export function refusalLog(
  port: 'enrollment' | 'node',
  log: KernelLog,
  clock: Clock,
): (refusal: Refusal) => void {
  const folded = new Map<string, { until: number; count: number }>();
  return ({ address, reason, error }) => {
    const key = `${address} ${reason}`;
    const now = clock.monotonic();
    const entry = folded.get(key);
    if (entry && now < entry.until) {
      entry.count += 1;
      return;
    }
    if (folded.size >= maxKeys) folded.clear();
    folded.set(key, { until: now + foldMs, count: 0 });
    const since = entry?.count ? { sinceThen: entry.count } : {};
    const text = `Refused a connection to the ${port} port: ${meaning[reason]}`;
    // A machine that pins the CA hangs up on purpose once it has seen the chain (protocol.md 7).
    const level = reason === 'hung_up' ? 'debug' : 'warn';
    log[level]({ address, reason, detail: error.message, ...since }, text);
  };
}
