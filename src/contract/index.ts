/**
 * The contract of the control plane: schemas of every request and answer, the table of routes with their authority, and
 * the errors. It imports nothing but TypeBox, so that the daemon, the client and the console share one copy.
 *
 * @example
 * import { routes } from './contract/index.js';
 * routes.createDispatch.authority; // 'invoker'
 */
export * from './contract-version.js';
export * from './dispatch.js';
export * from './error.js';
export * from './health.js';
export * from './inventory.js';
export * from './pairing.js';
export type { Wire } from './primitives.js';
export * from './routes.js';
