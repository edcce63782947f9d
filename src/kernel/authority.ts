/** What an operator's token may do; each role includes the ones before it. */
export const roles = ['viewer', 'invoker', 'approver', 'admin'] as const;
/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** Only a type. Being private, its one member can be neither written nor copied from a caller who has it. */
declare class Proof {
  private readonly proof: true;
}

/**
 * Who caused an event, proven by an adapter at the edge. It can be neither written as a literal nor copied from another
 * one: only {@link verifiedCaller} makes one, and only the authentication step of each port calls that. An event that
 * needs permission has a required field of this type, so the event cannot be made without it, and the guard in the
 * machine reads it.
 */
export type VerifiedCaller = CallerIdentity & Proof;

/** Who a caller is: an operator by name, a device by its id and the fingerprint of its certificate, or a part of the system. */
export type CallerIdentity =
  | { readonly kind: 'operator'; readonly name: string; readonly role: Role }
  | { readonly kind: 'device'; readonly deviceId: string; readonly fingerprint: string }
  | { readonly kind: 'system'; readonly name: string };

/** Marks an identity as proven, and for good: what it says can't be changed later. Call it only where the proof was checked. */
export function verifiedCaller(identity: CallerIdentity): VerifiedCaller {
  return Object.freeze({ ...identity }) as VerifiedCaller;
}

/** Whether an operator's role includes another. Devices and the system hold no role. */
export function holdsRole(caller: VerifiedCaller, needed: Role): boolean {
  return caller.kind === 'operator' && roles.indexOf(caller.role) >= roles.indexOf(needed);
}

/** The caller in one word for logs, journals and audit: `operator:ada`, `device:MFZ…`, `system:recovery`. */
export function callerLabel(caller: VerifiedCaller): string {
  return `${caller.kind}:${caller.kind === 'device' ? caller.deviceId : caller.name}`;
}

/**
 * What a caller must be to cause an event that needs permission: an operator who holds a role (or the policy by which
 * operators let the daemon decide, as a system caller of that name), or the device that the actor is about.
 */
export type Authority = { readonly role: Role; readonly policy?: string } | { readonly device: 'own' };

/** Who sends an event that needs no permission: a part of the system, as a noun phrase (`its deadline`). */
export interface Internal {
  readonly from: string;
}

/** Who sends an event: someone with permission, or a part of the system. */
export type Sender = Authority | Internal;

/**
 * Who sends each event of a machine. An event that carries a caller needs an {@link Authority}, any other is
 * {@link Internal}: a table that says otherwise does not compile. The machine's guards ask {@link permits} with the
 * entries of this table, and explanations show them, so what is said is what is checked.
 *
 * @example
 * const senders = { cancel: { role: 'invoker' }, deadline: { from: 'its deadline' } } as const satisfies Senders<JobEvent>;
 */
export type Senders<E extends { readonly type: string }> = {
  readonly [T in E['type']]: Extract<E, { readonly type: T }> extends { readonly caller: VerifiedCaller }
    ? Authority
    : Internal;
};

/**
 * Whether a caller may cause an event.
 *
 * @param owner the device that the actor is about.
 */
export function permits(authority: Authority, caller: VerifiedCaller, owner?: string): boolean {
  if ('role' in authority) {
    const byPolicy = caller.kind === 'system' && caller.name === authority.policy;
    return byPolicy || holdsRole(caller, authority.role);
  }
  return caller.kind === 'device' && caller.deviceId === owner;
}

/** A sender in words: `an operator with the role approver`, `its device`, `its deadline`. */
export function senderText(sender: Sender): string {
  if ('role' in sender) {
    const operator = `an operator with the role ${sender.role}`;
    return sender.policy === undefined ? operator : `${operator}, or the policy ${sender.policy}`;
  }
  return 'device' in sender ? 'its device' : sender.from;
}
