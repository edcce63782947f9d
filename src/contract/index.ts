/**
 * The contract of the control plane: the table of routes with their authority, schemas of every request and answer, and the
 * errors. It imports nothing but TypeBox, so that the daemon, the client and the console share one copy.
 *
 * @example
 * import { routes } from './contract/index.js';
 * routes.createDispatch.authority; // 'invoker'
 */
export * from './authority.js';
export * from './contract-descriptor.js';
export * from './contract-version.js';
export * from './device.js';
export * from './device-states.js';
export * from './dispatch.js';
export * from './dispatch-forecast.js';
export * from './dispatch-states.js';
export * from './error.js';
export * from './error-codes.js';
export * from './explanation.js';
export * from './fanout.js';
export * from './fanout-states.js';
export * from './grant.js';
export * from './health.js';
export * from './inventory.js';
export * from './pairing.js';
export * from './pairing-code.js';
export * from './pairing-code-states.js';
export * from './pairing-states.js';
export * from './plugin.js';
export * from './plugin-states.js';
export type { Wire } from './primitives.js';
export * from './pruning.js';
export * from './route-entry.js';
export * from './route-schemas.js';
export * from './route-table.js';
export * from './surface.js';
export * from './surface-states.js';
