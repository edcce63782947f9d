import { CapabilityError, definePlugin, Type } from 'palyra-node-runtime/plugin';
import { checkSite, siteRules } from './site-rules.js';
import { webUrl, webUrlPattern } from './web-url.js';

export default definePlugin({
  name: 'desktop-open-url',
  version: '1.0.0',
  publisher: 'Palyra',
  engines: { palyra: '>=0.1.0' },
  isolation: 'inline',
  config: siteRules,
  capabilities: {
    'desktop.open_url': {
      title: 'Open a web page',
      description:
        'Opens a web page in the default browser of the person at the node, once that person has allowed it.',
      input: Type.Object(
        {
          url: Type.String({
            format: 'uri',
            pattern: webUrlPattern,
            maxLength: 2048,
            description: 'An http or https address without a user name or password',
          }),
        },
        { additionalProperties: false },
      ),
      output: Type.Object(
        {
          url: Type.String({
            description: 'The address that was given to the browser, as browsers write it.',
          }),
        },
        { additionalProperties: false },
      ),
      timeout: '15s',
      concurrency: 2,
      mediation: { mode: 'local', remember: { pointer: '/url', by: 'origin', for: '8h' } },
      examples: [
        {
          title: 'A page',
          input: { url: 'https://example.com/docs?page=1' },
          output: { url: 'https://example.com/docs?page=1' },
        },
      ],
      async handler({ input, config, host, signal }) {
        const url = webUrl(input.url);
        checkSite(url, config);
        signal.throwIfAborted();
        try {
          await host.openUrl(url);
        } catch (cause) {
          const message = cause instanceof Error ? cause.message : String(cause);
          throw new CapabilityError('not_opened', message, { retryable: true, cause });
        }
        return { url };
      },
    },
  },
});
