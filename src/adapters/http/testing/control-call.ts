import type { VerifiedCaller } from '../../../kernel/authority.js';

/** One operation that was asked for. */
export interface ControlCall {
  readonly operation: string;
  readonly caller: VerifiedCaller;
  readonly request: unknown;
}

/** Notes that an operation was asked for. */
export type Note = (operation: string, caller: VerifiedCaller, request: unknown) => void;
