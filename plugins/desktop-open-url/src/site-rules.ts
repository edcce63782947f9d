import { CapabilityError, type Static, Type } from 'palyra-node-runtime/plugin';

const sites = (description: string, example: readonly string[]) =>
  Type.Array(
    Type.String({
      // A host as browsers write it: ASCII, in lowercase, without a port.
      pattern: '^((\\*\\.)?[a-z0-9_-]+(\\.[a-z0-9_-]+)*|\\[[0-9a-f:.]+\\])$',
      maxLength: 253,
      description: 'A host such as example.com, or all below one: *.example.com.',
    }),
    { maxItems: 1_000, description, examples: [example] },
  );

/** The settings of this plugin: which sites may be opened. */
export const siteRules = Type.Object(
  {
    allow: Type.Optional(
      sites('Only these are opened. Left out: all that are not denied.', ['example.com', '*.example.com']),
    ),
    deny: Type.Optional(sites('These are not opened, whatever else is allowed.', ['*.example.net'])),
  },
  { additionalProperties: false, description: 'Which sites may be opened.' },
);

export type SiteRules = Static<typeof siteRules>;

/**
 * Holds a URL against the rules. Deny wins; ports and paths do not count.
 *
 * @param url in the form in which browsers read it
 * @throws CapabilityError `site_not_allowed`, with the host as its detail
 */
export function checkSite(url: string, { allow, deny = [] }: SiteRules): void {
  // A dot in the end means the same host.
  const host = new URL(url).hostname.replace(/\.$/, '');
  const isDenied = deny.some((rule) => matches(host, rule));
  if (!isDenied && (allow === undefined || allow.some((rule) => matches(host, rule)))) return;
  throw new CapabilityError('site_not_allowed', `The settings of this node do not allow ${host}`, {
    details: { host },
  });
}

function matches(host: string, rule: string): boolean {
  return rule.startsWith('*.')
    ? host.endsWith(rule.slice(1)) && host.length > rule.length - 1
    : host === rule;
}
