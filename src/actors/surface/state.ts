import type { DeviceRecord, OfferedCapability, SurfaceApproval, SurfaceRefusal } from '../device/record.js';

/** What was decided about one capability as a device offers it now. */
export const surfaceStates = ['pending', 'approved', 'rejected', 'revoked'] as const;
export type SurfaceState = (typeof surfaceStates)[number];

/** What an approval holds for: any build of the descriptor, or the one that was offered when it was approved. */
export type Pin = 'descriptor' | 'build';

type Offered = Pick<OfferedCapability, 'capability' | 'digest' | 'buildDigest'>;

/** What is approved for devices with certain labels. */
export interface GrantLookup {
  covering(device: Pick<DeviceRecord, 'labels'>, offered: Offered, pin: Pin): object | undefined;
}

/** Where the operators' decisions about an offered capability stand. Nothing in it is the node's word but what it offers. */
export function surfaceStateOf(
  device: DeviceRecord,
  offered: Offered,
  pin: Pin,
  grants?: GrantLookup,
): SurfaceState {
  const refusal = refusalOf(device, offered);
  if (refusal !== undefined) return refusal.digest === undefined ? 'revoked' : 'rejected';
  if (approvalOf(device, offered, pin) !== undefined) return 'approved';
  return grants?.covering(device, offered, pin) === undefined ? 'pending' : 'approved';
}

/** The approval that covers an offered capability, if there is one. */
export function approvalOf(device: DeviceRecord, offered: Offered, pin: Pin): SurfaceApproval | undefined {
  return device.approvals.find(
    ({ digest, buildDigest }) =>
      digest === offered.digest && (pin === 'descriptor' || buildDigest === offered.buildDigest),
  );
}

/** The operator's no to an offered capability, if there is one. */
export function refusalOf(device: DeviceRecord, offered: Offered): SurfaceRefusal | undefined {
  return device.refusals?.find(
    ({ capability, digest }) =>
      capability === offered.capability && (digest === undefined || digest === offered.digest),
  );
}

/** The approvals of a capability, the latest first. */
export function approvalsOf(device: DeviceRecord, capability: string): readonly SurfaceApproval[] {
  return device.approvals
    .filter((approval) => approval.capability === capability)
    .sort((a, b) => b.approvedAt - a.approvedAt);
}
