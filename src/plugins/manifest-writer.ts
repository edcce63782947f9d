import { allPlatforms, apiVersion, capabilityDefaults, manifestSchema } from './manifest-schema.js';
import type { PluginDefinition } from './sdk/index.js';

export interface ManifestWriterOptions {
  /** The JavaScript file, relative to the plugin folder. Default: `dist/index.js`. */
  readonly entry?: string;
  /** Where an editor finds the schema, relative to the manifest. */
  readonly schema: string;
}

/**
 * Writes `plugin.json` from what `definePlugin` returned, with every default spelled out, so that a reader sees all that
 * is promised. The text ends with a line feed and is the same for the same plugin.
 *
 * @example manifestText(plugin, { schema: '../../schemas/plugin.schema.json' })
 */
export function manifestText(plugin: PluginDefinition, options: ManifestWriterOptions): string {
  const { name, version, publisher, engines, platforms, isolation, permissions, config } = plugin;
  const capabilities = plugin.capabilities.map(
    ({ handler: _, name: capability, title, description, ...rest }) => {
      const { input, output, examples, ...promises } = { ...capabilityDefaults, ...rest };
      return { name: capability, title, description, ...promises, input, output, examples };
    },
  );
  return jsonText({
    $schema: options.schema,
    apiVersion,
    name,
    version,
    publisher,
    engines,
    platforms: platforms ?? allPlatforms,
    entry: options.entry ?? 'dist/index.js',
    isolation: isolation ?? 'process',
    permissions: permissions ?? {},
    config,
    capabilities,
  });
}

/** The published JSON Schema of `plugin.json`, as the text of its file. */
export function manifestSchemaText(): string {
  return jsonText({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...manifestSchema });
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
