import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { NodeReport } from '../../node/reporter.js';

/** One line of the log of a service: a report of the host, that it failed, or a word of a part of it. */
export interface LogEntry {
  readonly time?: string;
  readonly level?: string;
  readonly event?: string;
  readonly msg?: string;
  readonly error?: ErrorEnvelope;
}

/** Reads one line; undefined for what is no JSON object, such as a line that a power cut has torn. */
export function parseLogEntry(line: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}

/** The report in an entry that was written from one; undefined for any other. */
export function reportIn(entry: LogEntry): NodeReport | undefined {
  const { event } = entry;
  return event === undefined || event === 'failed' ? undefined : (entry as LogEntry as NodeReport);
}
