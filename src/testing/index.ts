/**
 * `palyra-node-runtime/testing`: a daemon and a node with a plugin in the process of a test. See `testKit` for an example.
 */
export type { DispatchOutcome, DispatchRecord } from '../actors/dispatch/record.js';
export type { MediationAnswer, MediationRequest } from '../actors/mediation/question.js';
export type { SimulatedClock } from '../kernel/simulated-clock.js';
export type { Faults, FramePart } from './faults.js';
export type { CallOptions, KitCall, Outcome } from './kit-call.js';
export type { LoggedLine } from './recorded-log.js';
export { type Person, TestKit, type TestKitOptions, testKit } from './test-kit.js';
