/** What an operator's token may do; each role includes the ones before it. */
export const roles = ['viewer', 'invoker', 'approver', 'admin'] as const;
export type Role = (typeof roles)[number];

declare const verified: unique symbol;

/**
 * Who caused an event, proven by an adapter at the edge. It can't be written as a literal: only {@link verifiedCaller}
 * makes one, and only the authentication step of each port calls that. An event that needs permission has a required
 * field of this type, so the event cannot be made without it, and the guard in the machine reads it.
 */
export type VerifiedCaller = CallerIdentity & { readonly [verified]: true };

export type CallerIdentity =
  | { readonly kind: 'operator'; readonly name: string; readonly role: Role }
  | { readonly kind: 'device'; readonly deviceId: string; readonly fingerprint: string }
  | { readonly kind: 'system'; readonly name: string };

/** Marks an identity as proven. Call it only where the proof was checked. */
export function verifiedCaller(identity: CallerIdentity): VerifiedCaller {
  return identity as VerifiedCaller;
}

/** Whether an operator's role includes another. Devices and the system hold no role. */
export function holdsRole(caller: VerifiedCaller, needed: Role): boolean {
  return caller.kind === 'operator' && roles.indexOf(caller.role) >= roles.indexOf(needed);
}

/** The caller in one word for logs, journals and audit: `operator:ada`, `device:MFZ…`, `system:recovery`. */
export function callerLabel(caller: VerifiedCaller): string {
  return `${caller.kind}:${caller.kind === 'device' ? caller.deviceId : caller.name}`;
}
