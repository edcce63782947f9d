import type { ErrorEnvelope } from '../kernel/errors.js';
import type { NodeReport } from './reporter.js';

/**
 * How the line of a node host stands. `waiting`: it tries again by itself, soon. `refused`: the daemon does not want it; it asks again
 * once an hour. `expired`: it has no certificate in force and asks for one. `pairing`: an operator is to decide.
 */
export type SessionState =
  | 'starting'
  | 'pairing'
  | 'connecting'
  | 'connected'
  | 'waiting'
  | 'refused'
  | 'expired'
  | 'stopping';

/** The line of a node host, as its reports tell it. Times are milliseconds since the epoch. */
export interface SessionStanding {
  readonly state: SessionState;
  readonly since: number;
  /** Where the daemon is: that of the session, or that of the last attempt. */
  readonly address?: string;
  readonly epoch?: number;
  /** What the operator calls this node. */
  readonly name?: string;
  /** When it tries again. */
  readonly retryAt?: number;
  /** Why it is not connected. */
  readonly error?: ErrorEnvelope;
  /** What the operator compares, while an approval is waited for. */
  readonly fingerprintWords?: readonly string[];
  /** What the daemon may run here, and what not. */
  readonly capabilities: readonly { readonly capability: string; readonly status: string }[];
}

/** Before anything was reported. @param now milliseconds since the epoch */
export function startingStanding(now: number): SessionStanding {
  return { state: 'starting', since: now, capabilities: [] };
}

/** The standing after a report. @param now milliseconds since the epoch */
export function standingAfter(before: SessionStanding, report: NodeReport, now: number): SessionStanding {
  switch (report.event) {
    case 'proving':
      return moved(before, 'pairing', now, { address: report.address });
    case 'pending_approval':
      return moved(before, 'pairing', now, { fingerprintWords: report.fingerprintWords });
    case 'paired':
      return moved(before, 'connecting', now, { name: report.name });
    case 'connecting':
      // A line that moves to a new certificate stands until the next one does.
      return before.state === 'connected'
        ? { ...before, address: report.address }
        : moved(before, 'connecting', now, {
            address: report.address,
            ...(before.error ? { error: before.error } : {}),
          });
    case 'connected':
      return moved(before, 'connected', now, {
        name: report.name,
        epoch: report.epoch,
        capabilities: report.capabilities,
      });
    case 'surface':
      return { ...before, capabilities: report.capabilities };
    case 'disconnected':
      return moved(before, 'waiting', now, failure(report, now));
    case 'refused':
      return moved(before, 'refused', now, failure(report, now));
    case 'certificate_ended':
      return moved(before, 'expired', now, failure(report, now));
    case 'retrying':
      return before.state === 'expired' || before.state === 'pairing'
        ? moved(before, 'expired', now, failure(report, now))
        : before;
    case 'stopped':
      return moved(before, 'stopping', now, {});
    default:
      return before;
  }
}

function failure(
  report: { readonly error?: ErrorEnvelope; readonly retryInMs?: number },
  now: number,
): Partial<SessionStanding> {
  return {
    ...(report.error === undefined ? {} : { error: report.error }),
    ...(report.retryInMs === undefined ? {} : { retryAt: now + report.retryInMs }),
  };
}

/** Another state: what belonged to the one before is forgotten, but for names and what may run. */
function moved(
  { state: old, since, address, name, capabilities }: SessionStanding,
  state: SessionState,
  now: number,
  news: Partial<SessionStanding>,
): SessionStanding {
  return {
    state,
    since: old === state ? since : now,
    capabilities,
    ...(address === undefined ? {} : { address }),
    ...(name === undefined ? {} : { name }),
    ...news,
  };
}
