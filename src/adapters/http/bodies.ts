import type { InventoryEntry, MintedJoinCode, PairingView } from '../../actors/control.js';
import type { DispatchRecord } from '../../actors/dispatch/record.js';
import type { Dispatch } from '../../contract/dispatch.js';
import type { InventoryEntry as InventoryEntryBody } from '../../contract/inventory.js';
import type { MintedPairingCode, Pairing } from '../../contract/pairing.js';
import { type BodyOf, timeText } from './wire-types.js';

export const mintedCodeBody: BodyOf<MintedJoinCode, MintedPairingCode> = (code) => ({
  ...code,
  expiresAt: timeText(code.expiresAt),
});

export const pairingBody: BodyOf<PairingView, Pairing> = ({ decision, ...pairing }) => ({
  ...pairing,
  createdAt: timeText(pairing.createdAt),
  updatedAt: timeText(pairing.updatedAt),
  expiresAt: timeText(pairing.expiresAt),
  ...(decision === undefined ? {} : { decision: { ...decision, at: timeText(decision.at) } }),
});

export const inventoryBody: BodyOf<InventoryEntry, InventoryEntryBody> = ({
  certificateExpiresAt,
  lastSeenAt,
  connectedSince,
  ...entry
}) => ({
  ...entry,
  alerts: entry.alerts.map((alert) => ({ ...alert, at: timeText(alert.at) })),
  ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt: timeText(certificateExpiresAt) }),
  ...(lastSeenAt === undefined ? {} : { lastSeenAt: timeText(lastSeenAt) }),
  ...(connectedSince === undefined ? {} : { connectedSince: timeText(connectedSince) }),
});

export const dispatchBody: BodyOf<DispatchRecord, Dispatch> = ({ deliveredAt, finishedAt, ...dispatch }) => ({
  ...dispatch,
  createdAt: timeText(dispatch.createdAt),
  updatedAt: timeText(dispatch.updatedAt),
  deliverBy: timeText(dispatch.deliverBy),
  latestEnd: timeText(dispatch.latestEnd),
  steps: dispatch.steps.map((step) => ({ ...step, at: timeText(step.at) })),
  ...(deliveredAt === undefined ? {} : { deliveredAt: timeText(deliveredAt) }),
  ...(finishedAt === undefined ? {} : { finishedAt: timeText(finishedAt) }),
});
