import { jsonErrorPosition } from '../adapters/http/json-position.js';
import type { AppError } from '../kernel/errors.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';

/**
 * Reads the input of a capability: JSON, or `-` for JSON from stdin.
 *
 * @throws AppError `cli.invalid_json` with line and column
 */
export async function readInput(text: string, context: CliContext): Promise<unknown> {
  const source = text === '-' ? await readAll(context) : text;
  try {
    return JSON.parse(source);
  } catch {
    throw invalid(source, text === '-' ? 'stdin' : '--input');
  }
}

async function readAll({ stdin }: CliContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function invalid(source: string, from: string): AppError {
  if (source.trim() === '') {
    return cliError('invalid_json', `${from} is empty`, {
      hint: 'Give JSON, such as {} or \'{"text": "hello"}\'.',
    });
  }
  const { line, column } = jsonErrorPosition(source) ?? { line: 1, column: 1 };
  const written = source.split('\n')[line - 1] ?? '';
  const start = Math.max(0, column - 30);
  const excerpt = written.slice(start, column + 30);
  const pointer = ' '.repeat(column - 1 - start);
  return cliError(
    'invalid_json',
    `${from} is not JSON: line ${line}, column ${column}\n  ${excerpt}\n  ${pointer}^`,
    {
      hint: 'Names and texts stand in double quotes; in a shell, put single quotes around all of it.',
      fields: [{ field: from, message: `is not JSON at line ${line}, column ${column}` }],
    },
  );
}
