import { CapabilityError } from 'palyra-node-runtime/plugin';

/** What the input schema accepts: no spaces, and neither @ nor \ in the host part, where they would hide the real host. */
export const webUrlPattern = '^https?://[^\\s/?#@\\\\]+([/?#][^\\s]*)?$';

/**
 * The URL in the form in which browsers read it, so that what is opened is what was checked.
 *
 * @throws CapabilityError `invalid_url`
 */
export function webUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new CapabilityError('invalid_url', 'The URL can not be read');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new CapabilityError('invalid_url', `Only http and https URLs are opened, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new CapabilityError('invalid_url', 'The URL carries a user name or a password');
  }
  return url.href;
}
