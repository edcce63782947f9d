import type { PluginView } from '../../actors/plugin-control.js';
import type { Plugin } from '../../contract/plugin.js';
import type { BodyOf } from './wire-types.js';

export const pluginBody: BodyOf<PluginView, Plugin> = (plugin) => ({ ...plugin });
