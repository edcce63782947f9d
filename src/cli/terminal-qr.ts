import { type CliContext, hasColours } from './context.js';

/** Modules of quiet around the code. */
const quiet = 2;
/** Upper and lower module of one character: a dark one is drawn, a light one is the background. */
const blocks = [
  [' ', '▄'],
  ['▀', '█'],
] as const;
const blackOnWhite = '\u001b[30;107m';
const reset = '\u001b[0m';

/**
 * A text as a QR code for the terminal, two modules to a character; undefined where it could not be read: no colours, which
 * would leave it to the theme whether it is dark on light, or too few columns.
 */
export async function terminalQr(
  { stdout, env }: Pick<CliContext, 'stdout' | 'env'>,
  text: string,
): Promise<readonly string[] | undefined> {
  if (!hasColours(stdout, env)) return undefined;
  const { create } = await import('qrcode');
  const { modules } = create(text, { errorCorrectionLevel: 'L' });
  const { size } = modules;
  const width = size + 2 * quiet;
  if (width > (stdout.columns ?? 80)) return undefined;
  const isDark = (row: number, column: number): 0 | 1 => {
    const [y, x] = [row - quiet, column - quiet];
    return y >= 0 && x >= 0 && y < size && x < size && modules.get(y, x) ? 1 : 0;
  };
  const lines: string[] = [];
  for (let row = 0; row < width; row += 2) {
    let line = '';
    for (let column = 0; column < width; column++) {
      line += blocks[isDark(row, column)][isDark(row + 1, column)];
    }
    lines.push(`${blackOnWhite}${line}${reset}`);
  }
  return lines;
}
