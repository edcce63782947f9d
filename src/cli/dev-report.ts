import { AppError, type ErrorEnvelope } from '../kernel/errors.js';
import type { NodeReport } from '../node/reporter.js';
import type { CliContext } from './context.js';
import { reporterFor } from './node-terminal.js';
import { type Colours, colours, errorLines, print, printEvent } from './output.js';
import { printable } from './printable.js';
import { sizeText } from './size-text.js';

/** What `palyra plugin dev` tells, beside what its node reports. */
export type DevReport =
  | NodeReport
  | {
      readonly event: 'built';
      readonly name: string;
      readonly version: string;
      /** SHA-256 of the bundle. */
      readonly build: string;
      readonly bytes: number;
    }
  | { readonly event: 'build_failed'; readonly error: ErrorEnvelope }
  /** The plugin logged or printed something. */
  | {
      readonly event: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields?: unknown;
    }
  /** The plugin runs, and this may be typed. */
  | { readonly event: 'ready'; readonly capability: string; readonly command: string }
  /** An operator has to do something. */
  | { readonly event: 'waits'; readonly why: string; readonly command: string };

export type DevReporter = (report: DevReport) => void;

export function devReporter(flags: { readonly json?: boolean }, context: CliContext): DevReporter {
  if (flags.json) return (report) => printEvent(context, report);
  const node = reporterFor(flags, context);
  const style = colours(context.stdout, context.env);
  return (report) => {
    switch (report.event) {
      case 'built': {
        const { name, version, bytes, build } = report;
        const size = `${sizeText(bytes)}, build ${build.slice(0, 8)}`;
        print(context, `${style.green('✓')} Built ${printable(name)} ${printable(version)} (${size})`);
        break;
      }
      case 'build_failed':
        print(
          context,
          ...errorLines(style, AppError.fromEnvelope(report.error)),
          style.dim('  What ran before goes on.'),
        );
        break;
      case 'log': {
        const { level, message, fields } = report;
        const more = fields === undefined ? '' : ` ${printable(JSON.stringify(fields))}`;
        print(
          context,
          `${levelColours(style)[level](level.padEnd(5))} ${printable(message)}${style.dim(more)}`,
        );
        break;
      }
      case 'ready':
        print(
          context,
          `${style.green('✓')} ${printable(report.capability)} can be called:`,
          `  ${report.command}`,
        );
        break;
      case 'waits':
        print(context, style.yellow(report.why), `  ${report.command}`);
        break;
      default:
        node(report);
    }
  };
}

function levelColours({ dim, cyan, yellow, red }: Colours) {
  return { debug: dim, info: cyan, warn: yellow, error: red };
}
