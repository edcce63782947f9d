import { assign, setup, transition } from 'xstate';
import { callerLabel, permits, senderText } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { MachineMeta } from '../../kernel/machine-meta.js';
import type { DeviceRecord, OfferedCapability, SurfaceApproval } from '../device/record.js';
import { surfaceError } from '../errors.js';
import { type SurfaceDecisionEvent, type SurfaceEvent, surfaceSenders } from './events.js';
import { type GrantLookup, type Pin, type SurfaceState, surfaceStateOf } from './state.js';

/** Approvals of one capability that are kept; the oldest goes, and that takes nothing but a way back to an old version. */
const mostApprovals = 8;
/** Refusals that are kept for one device. */
const mostRefusals = 256;

/** What a decision changes of a device. */
export type SurfacePatch = Required<Pick<DeviceRecord, 'approvals' | 'refusals'>>;

interface SurfaceContext {
  readonly now: number;
  readonly device: DeviceRecord;
  readonly offered: OfferedCapability;
  /** What the event makes of the device's decisions. */
  readonly next: SurfacePatch | undefined;
}

function mayCause(event: SurfaceEvent): boolean {
  return !('caller' in event) || permits(surfaceSenders[event.type], event.caller);
}

const approves = {
  guard: 'may decide',
  target: 'approved',
  actions: 'note the approval',
  description: 'It may be called on this device, and nothing that was refused of it stands any more',
} as const;
const revokes = {
  guard: 'may decide',
  target: 'revoked',
  actions: 'note the revocation',
  description: 'No version of it may be called on this device any more, and what it runs of it is stopped',
} as const;

/**
 * What may become of one capability as a device offers it. A table and no actor: each decision is one transaction with the
 * device's record. {@link decideSurface} is the one way through it.
 *
 * A device that offers something else moves nothing here: its new offer is `pending`, or whatever was decided of that before. Out
 * of a refusal leads an operator's approval only.
 */
export const surfaceMachine = setup({
  types: {
    context: {} as SurfaceContext,
    events: {} as SurfaceEvent,
    input: {} as Omit<SurfaceContext, 'next'>,
    meta: {} as MachineMeta,
  },
  guards: { 'may decide': ({ event }) => mayCause(event) },
  actions: {
    'note the approval': assign(({ context, event }) => ({ next: approved(context, event) })),
    'note the rejection': assign(({ context, event }) => ({ next: refused(context, event, true) })),
    'note the revocation': assign(({ context, event }) => ({ next: refused(context, event, false) })),
  },
}).createMachine({
  id: 'surface',
  meta: { senders: surfaceSenders },
  context: ({ input }) => ({ ...input, next: undefined }),
  initial: 'pending',
  states: {
    pending: {
      description: 'It is data: shown to operators, invisible to callers, never compiled',
      on: {
        approve: approves,
        follow: {
          target: 'approved',
          actions: 'note the approval',
          description: 'It asks for no more than what an operator approved before on this device',
        },
        reject: {
          guard: 'may decide',
          target: 'rejected',
          actions: 'note the rejection',
          description: 'This version of it may not be called on this device',
        },
        revoke: revokes,
      },
    },
    approved: {
      description: 'It may be called on this device while its plugin is enabled',
      on: { revoke: revokes },
    },
    rejected: {
      description: 'An operator refused this version; another one is pending again',
      on: { approve: approves, revoke: revokes },
    },
    revoked: {
      description: 'An operator took it off this device, in this version and every other',
      on: { approve: approves },
    },
  },
});

/**
 * What an event makes of a device's decisions.
 *
 * @throws AppError `surface.forbidden` when the caller may not cause it, `surface.not_possible` in a state that it leads nowhere
 *   from.
 */
export function decideSurface(
  device: DeviceRecord,
  offered: OfferedCapability,
  event: SurfaceEvent,
  { pin, grants, now }: { readonly pin: Pin; readonly grants?: GrantLookup; readonly now: number },
): SurfacePatch {
  const value = surfaceStateOf(device, offered, pin, grants);
  const context: SurfaceContext = { now, device, offered, next: undefined };
  const [after] = transition(surfaceMachine, surfaceMachine.resolveState({ value, context }), event);
  if (after.context.next !== undefined) return after.context.next;
  throw refusal(offered.capability, value, event);
}

/** What an operator can do with a capability in a state. */
export function surfaceActionsIn(state: SurfaceState): readonly SurfaceDecisionEvent['type'][] {
  return (['approve', 'reject', 'revoke'] as const).filter(
    (action) => action in (surfaceMachine.states[state]?.config.on ?? {}),
  );
}

function refusal(capability: string, state: SurfaceState, event: SurfaceEvent): AppError {
  if ('caller' in event && !mayCause(event)) {
    return surfaceError('forbidden', `${callerLabel(event.caller)} may not ${event.type} what nodes offer`, {
      hint: `It takes ${senderText(surfaceSenders[event.type])}.`,
    });
  }
  const possible = surfaceActionsIn(state);
  return surfaceError(
    'not_possible',
    `${capability} is ${state} on this node: ${event.type} does not apply`,
    {
      hint: `What can be done with it: ${possible.join(', ')}.`,
    },
  );
}

function approved({ device, offered, now }: SurfaceContext, event: SurfaceEvent): SurfacePatch {
  const { capability, digest, buildDigest } = offered;
  const common = { digest, capability, buildDigest, approvedAt: now };
  const approval: SurfaceApproval =
    event.type === 'follow'
      ? { ...common, approvedBy: event.from.approvedBy, follows: origin(event.from) }
      : {
          ...common,
          approvedBy: callerLabel(event.caller),
          ...(event.reason === '' ? {} : { reason: event.reason }),
        };
  const others = device.approvals.filter((one) => one.digest !== digest);
  const own = others.filter((one) => one.capability === capability);
  const dropped = new Set(own.slice(0, Math.max(0, own.length - (mostApprovals - 1))));
  return {
    approvals: [...others.filter((one) => !dropped.has(one)), approval],
    refusals: (device.refusals ?? []).filter((one) => one.capability !== capability),
  };
}

/** The operator's own approval at the beginning of a chain. */
function origin(from: SurfaceApproval): NonNullable<SurfaceApproval['follows']> {
  const { digest, approvedBy, approvedAt } = from.follows ?? from;
  return { digest, approvedBy, approvedAt };
}

function refused({ device, offered, now }: SurfaceContext, event: SurfaceEvent, one: boolean): SurfacePatch {
  const { approvals, refusals = [] } = device;
  if (event.type === 'follow') return { approvals, refusals };
  const { capability, digest } = offered;
  const by = callerLabel(event.caller);
  const entry = { capability, ...(one ? { digest } : {}), by, at: now, reason: event.reason };
  const kept = one ? refusals : refusals.filter((other) => other.capability !== capability);
  return {
    approvals: one ? approvals : approvals.filter((approval) => approval.capability !== capability),
    refusals: bounded([...kept, entry]),
  };
}

/** Rejections go first, the oldest before the newer: without one, an operator is asked again. */
function bounded(refusals: SurfacePatch['refusals']): SurfacePatch['refusals'] {
  const surplus = refusals.length - mostRefusals;
  if (surplus <= 0) return refusals;
  const rejections = refusals.filter(({ digest }) => digest !== undefined);
  const dropped = new Set(rejections.slice(0, surplus));
  return refusals.filter((refusal) => !dropped.has(refusal));
}
