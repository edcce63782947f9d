import type { Presence } from '../device/view.js';

/** What is known of one live session without asking its actor. */
export interface LiveSession {
  readonly deviceId: string;
  readonly fingerprint: string;
  readonly epoch: number;
  /** What the process of its node host calls itself, hex. */
  readonly instance: string;
  readonly heartbeatMs: number;
  /** When it went live, wall time in milliseconds since the epoch. */
  readonly since: number;
  /** When the node was last heard, wall time and monotonic time in milliseconds. */
  seenAt: number;
  seenMonotonic: number;
}

/** Missed heartbeats after which a node is late, and after which it is offline. */
export const lateAfter = 2;
export const offlineAfter = 4;

/** The one rule of presence, for inventory, routing and invoke alike. */
export function presenceOf(session: LiveSession | undefined, monotonicNow: number): Presence {
  if (!session) return 'offline';
  const silent = (monotonicNow - session.seenMonotonic) / session.heartbeatMs;
  if (silent >= offlineAfter) return 'offline';
  return silent >= lateAfter ? 'late' : 'online';
}

/**
 * The interval of heartbeats for a fleet: the configured one, stretched so that all nodes together stay under 200
 * heartbeats a second, and `maxMs` at most.
 */
export function heartbeatInterval(baseMs: number, maxMs: number, sessions: number): number {
  return Math.min(Math.max(baseMs, sessions * 5), Math.max(baseMs, maxMs));
}
