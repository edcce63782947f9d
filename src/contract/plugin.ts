import { Type } from 'typebox';
import { DescriptorSchema } from './descriptor.js';
import { pluginStates } from './plugin-states.js';
import { closed, digest, type Wire, words } from './primitives.js';

export const PluginSchema = Type.Object(
  {
    plugin: Type.String({ description: 'its name, or that of its folder when the name can not be told' }),
    state: words(
      pluginStates,
      'loaded: sound and enabled; disabled: sound and not enabled; quarantined: left out for a fault; not_installed: enabled, and on nodes only',
    ),
    file: Type.Optional(Type.String({ description: 'its manifest; with a fault, the file that has it' })),
    folder: Type.Optional(Type.String({ description: 'the real path of where it was found' })),
    version: Type.Optional(Type.String()),
    publisher: Type.Optional(Type.String()),
    isolation: Type.Optional(DescriptorSchema.properties.isolation),
    permissions: Type.Optional(DescriptorSchema.properties.permissions),
    buildDigest: Type.Optional(digest),
    capabilities: Type.Array(Type.Object({ name: Type.String(), digest }, closed)),
    fault: Type.Optional(
      Type.Object(
        {
          code: Type.String(),
          pointer: Type.String({ description: 'JSON pointer in the file; empty for all of it' }),
          message: Type.String(),
          hint: Type.Optional(Type.String()),
        },
        { ...closed, description: 'why it is left out' },
      ),
    ),
  },
  closed,
);
export type Plugin = Wire<typeof PluginSchema>;

export const PluginListSchema = Type.Object(
  { plugins: Type.Array(PluginSchema, { description: 'by name' }) },
  closed,
);
export type PluginList = Wire<typeof PluginListSchema>;

export const PluginReloadSchema = Type.Object(
  {
    ...PluginListSchema.properties,
    restartNeeded: Type.Array(Type.String(), {
      description: 'options that have changed and count only after a restart, as JSON pointers',
    }),
  },
  closed,
);
export type PluginReload = Wire<typeof PluginReloadSchema>;

export const pluginParams = Type.Object(
  { plugin: Type.String({ minLength: 1, maxLength: 128, description: 'the name of a plugin' }) },
  closed,
);
