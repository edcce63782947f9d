import { allPlatforms, apiVersion, capabilityDefaults, manifestSchema } from './manifest-schema.js';
import type { DefinedCapability, PluginDefinition } from './sdk/index.js';

/** A definition, with or without its handlers. */
type Defined = Omit<PluginDefinition, 'capabilities'> & {
  readonly capabilities: readonly (Omit<DefinedCapability, 'handler'> & Partial<DefinedCapability>)[];
};

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
export function manifestText(plugin: Defined, options: ManifestWriterOptions): string {
  // What is not known goes along: a misspelt word must not be lost on its way to whoever checks the manifest.
  const { name, version, publisher, engines, platforms, isolation, permissions, config, ...unknown } = plugin;
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
    ...unknown,
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
