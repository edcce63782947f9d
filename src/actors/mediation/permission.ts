/** Only a type. Being private, its one member can be neither written nor copied from a permission that there is. */
declare class Proof {
  private readonly proof: true;
}

/** By what a run is allowed: the person's word for this call, or one that they gave before and that still holds. */
export interface Allowance {
  readonly by: 'person' | 'remembered';
  /** Until when the same is allowed without a question, milliseconds since the epoch by the node's clock. */
  readonly until?: number;
}

/** What was allowed, by whom. */
export interface PermissionFacts extends Allowance {
  readonly dispatchId: string;
  readonly descriptorDigest: string;
  /** The build of the plugin that was allowed to run; no other may. */
  readonly build: string;
}

/**
 * That one call may run although its capability asks for a person's word. It can be neither written as a literal nor
 * copied: only {@link permission} makes one, and only the mediation machine calls that. An event that lets such a run go
 * ahead has a required field of this type, and the guard of the execution reads it.
 */
export type Permission = PermissionFacts & Proof;

/** Makes a permission. Call it only where the person's yes, or a remembered one, was seen. */
export function permission(facts: PermissionFacts): Permission {
  return Object.freeze({ ...facts }) as Permission;
}

/** What of a permission is told to others. */
export function allowanceOf({ by, until }: Permission): Allowance {
  return until === undefined ? { by } : { by, until };
}

/** What came of a question. A question that was taken back has no verdict. */
export type Verdict =
  | { readonly kind: 'allowed'; readonly permission: Permission }
  | { readonly kind: 'denied' }
  /** Nobody could be asked. */
  | { readonly kind: 'nobody'; readonly reason: string }
  /** Nobody has answered in time. */
  | { readonly kind: 'unanswered' };
