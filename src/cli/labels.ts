import { cliError } from './cli-errors.js';

/** Adds `name=value`, as `--label` gives it, to the labels before. @throws AppError `cli.usage` */
export function addLabel(
  text: string,
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at > 0) return Object.fromEntries([...Object.entries(labels), [text.slice(0, at), text.slice(at + 1)]]);
  throw cliError('usage', `--label: '${text}' is not a label`, {
    hint: 'Write a name and a value: --label team=infra',
    fields: [{ field: '--label', message: 'is not name=value' }],
  });
}
