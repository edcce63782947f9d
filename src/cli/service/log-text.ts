import { AppError } from '../../kernel/errors.js';
import type { CliContext } from '../context.js';
import { narrator } from '../node-narrator.js';
import { colours, errorLines, print } from '../output.js';
import { printable, printableJson } from '../printable.js';
import { type LogEntry, parseLogEntry, reportIn } from './log-entry.js';

/** Prints lines of the log of a service: as JSON, or each with its time as a person reads it. */
export function logLinePrinter(context: CliContext, json: boolean): (line: string) => void {
  const paint = colours(context.stdout, context.env);
  const narrate = narrator(paint, printable);
  const textOf = (entry: LogEntry): string => {
    const report = reportIn(entry);
    if (report !== undefined) return narrate(report);
    if (entry.event === 'failed' && entry.error !== undefined)
      return errorLines(paint, AppError.fromEnvelope(entry.error)).join('\n');
    const level = entry.level === undefined ? '' : `${paint.yellow(printable(entry.level))}: `;
    return `${level}${printable(entry.msg ?? '')}`;
  };
  return (line) => {
    const entry = parseLogEntry(line);
    if (json) {
      // A line that is torn is none for a program.
      if (entry !== undefined) context.stdout.write(`${printableJson(entry)}\n`);
      return;
    }
    const text = entry === undefined ? undefined : readable(() => textOf(entry));
    print(context, text === undefined ? printable(line) : `${paint.dim(localTime(entry?.time))} ${text}`);
  };
}

/** Undefined for a line that another version has written and this one can't tell. */
function readable(tell: () => string | undefined): string | undefined {
  try {
    return tell();
  } catch {
    return undefined;
  }
}

/** `2026-11-24 15:23:01` where this program runs. */
function localTime(time: string | undefined): string {
  const at = new Date(time ?? Number.NaN);
  if (Number.isNaN(at.getTime())) return '-';
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}
