/** The kernel: supervised XState actors with addresses, deadlines and ordered ends. It knows actors, not nodes. */
export type { AcceptedBranch, AcceptedEvent } from './acceptance.js';
export type { ActorReport } from './actor-report.js';
export { type Address, type AddressOf, address, addressKind, parseAddress } from './address.js';
export * from './authority.js';
export { type Backoff, type BackoffOptions, jitteredBackoff } from './backoff.js';
export { type Chart, type ChartState, type ChartTransition, chartOf } from './chart.js';
export { mermaidOf } from './chart-mermaid.js';
export type { ChildPhase, ChildSpec, ChildStatus, RestartKind } from './child.js';
export * from './clock.js';
export { type CompiledLogic, type CompiledSnapshot, compile } from './compile.js';
export { type CrowdEvent, type CrowdLogic, type CrowdOptions, type CrowdSnapshot, crowd } from './crowd.js';
export type { DeadLetter, DeadLetterReason, DeadLetters } from './dead-letters.js';
export { type DeadlineHandle, type DeadlineOptions, Deadlines, type PendingDeadline } from './deadlines.js';
export { type AskOptions, Directory, type Reply } from './directory.js';
export * from './errors.js';
export { type Explanation, explain, type NextStep, type RecordedState } from './explain.js';
export { type Cause, causeOf, type JournalEntry, type JournalNote } from './journal.js';
export {
  createKernel,
  type Kernel,
  type KernelOptions,
  type RootHandle,
  type RootOutcome,
  startRoot,
} from './kernel.js';
export { contained, type DownReason, type Ending, type ShutdownEvent } from './lifecycle.js';
export { type KernelLog, stderrLog } from './log.js';
export type { MachineMeta } from './machine-meta.js';
export { SimulatedClock } from './simulated-clock.js';
export * from './store.js';
export {
  type Strategy,
  type SupervisorLogic,
  type SupervisorOptions,
  type SupervisorSnapshot,
  supervisor,
} from './supervisor.js';
