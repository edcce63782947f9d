/**
 * `palyra-node-runtime/plugin`: all that a plugin imports. See `definePlugin` for an example.
 */
export { type Static, type TSchema, Type } from 'typebox';
export { CapabilityError, type CapabilityErrorOptions } from './capability-error.js';
export {
  type CapabilitySource,
  type DefinedCapability,
  definePlugin,
  type PluginDefinition,
  type PluginSource,
} from './define-plugin.js';
export type { Handler, HandlerCall, HostServices, PluginLog } from './handler.js';
