import { Type } from 'typebox';
import { closed, words } from './primitives.js';

/** How a node runs a plugin, as it says. */
export const PluginStandingSchema = Type.Object(
  {
    isolation: words(['process', 'inline'], 'in a process of its own, or inside the node host'),
    enforced: Type.Array(
      words(
        ['fileSystem', 'network', 'childProcesses', 'environment'],
        'a kind of permissions that it is held to; the others are only declared',
      ),
    ),
    disabled: Type.Optional(Type.String({ description: 'why it runs no more' })),
  },
  { ...closed, description: 'how the node runs its plugin, as it says' },
);
