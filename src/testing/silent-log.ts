import type { KernelLog } from '../kernel/log.js';

/** A log that nobody reads. */
export const silentLog: KernelLog = { debug() {}, info() {}, warn() {}, error() {} };
