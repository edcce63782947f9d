import { clientError } from './client-errors.js';

/** The URL of a control plane without a slash at its end. @throws AppError `client.invalid_url` */
export function normalUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '';
  if (plain) return url.href.replace(/\/+$/, '');
  throw clientError('invalid_url', `'${text}' is not the URL of a control plane`, {
    hint: 'Write it as http://127.0.0.1:7142',
    fields: [{ field: 'url', message: 'is not an http or https URL' }],
  });
}
