import { cliError } from './cli-errors.js';

/** Adds `name=value`, as `--label` gives it, to the labels before. @throws AppError `cli.usage` */
export function addLabel(
  text: string,
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return withLabel(labels, text, '--label', `--label ${labelExample}`);
}

/** Labels that are given as arguments, each `name=value`. @throws AppError `cli.usage` */
export function labelsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  let labels: Readonly<Record<string, string>> = {};
  for (const text of texts) labels = withLabel(labels, text, 'name=value', labelExample);
  return labels;
}

const labelExample = 'team=infra';

function withLabel(
  labels: Readonly<Record<string, string>>,
  text: string,
  field: string,
  example: string,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at > 0) return Object.fromEntries([...Object.entries(labels), [text.slice(0, at), text.slice(at + 1)]]);
  throw cliError('usage', `${field}: '${text}' is not a label`, {
    hint: `Write a name and a value: ${example}`,
    fields: [{ field, message: 'is not name=value' }],
  });
}
