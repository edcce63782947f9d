import Table from 'cli-table3';
import { type CliContext, hasColours } from './context.js';
import { colours } from './output.js';
import { printable } from './printable.js';

/** One column: its head, and what of a row stands in it. */
export interface Column<Row> {
  readonly head: string;
  text(row: Row): string;
  /** Whether it may be shortened when the terminal is narrow. */
  readonly elastic?: boolean;
  colour?(row: Row): 'green' | 'yellow' | 'red' | 'dim' | undefined;
}

const gap = 2;
const narrowest = 8;
const none = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(gap),
};

/** A table without lines. On a terminal it fits: elastic columns are cut until each row has one line. */
export function tableText<Row>(
  context: CliContext,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  const { stdout, env } = context;
  const paint = colours(stdout, env);
  const cells = rows.map((row) => columns.map((column) => printable(column.text(row))));
  const natural = columns.map(({ head }, at) =>
    Math.max(head.length, ...cells.map((row) => [...(row[at] ?? '')].length)),
  );
  const widths = stdout.isTTY === true ? shrink(natural, columns, stdout.columns ?? 80) : natural;
  const table = new Table({
    head: columns.map(({ head }) => paint.dim(head)),
    colWidths: [...widths],
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const [at, row] of rows.entries()) {
    table.push(
      columns.map((column, number) => {
        const colour = hasColours(stdout, env) ? column.colour?.(row) : undefined;
        const text = cells[at]?.[number] ?? '';
        return colour === undefined ? text : paint[colour](text);
      }),
    );
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Takes what is too much from the widest elastic column, again and again. */
function shrink<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  available: number,
): readonly number[] {
  const widths = [...natural];
  let excess = natural.reduce((sum, width) => sum + width, 0) + gap * (columns.length - 1) - available;
  while (excess > 0) {
    let widest = -1;
    for (const [at, width] of widths.entries()) {
      if (columns[at]?.elastic && width > narrowest && width > (widths[widest] ?? 0)) widest = at;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
