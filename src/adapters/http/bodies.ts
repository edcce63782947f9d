import type { AuthorityView } from '../../actors/authority/view.js';
import type { InventoryEntry } from '../../actors/device/inventory-view.js';
import type { DeviceAlert } from '../../actors/device/record.js';
import type { DeviceView } from '../../actors/device/view.js';
import type { DispatchRecord } from '../../actors/dispatch/record.js';
import type {
  DispatchForecast as DispatchForecastView,
  DispatchSummary as DispatchSummaryView,
} from '../../actors/dispatch/view.js';
import type { ExplanationView } from '../../actors/explanation-view.js';
import type { PairingView } from '../../actors/pairing/view.js';
import type { PruneJob as PruneJobView } from '../../actors/pruning/view.js';
import type { AuthorityStatus } from '../../contract/authority.js';
import type { Device } from '../../contract/device.js';
import type { Dispatch, DispatchSummary } from '../../contract/dispatch.js';
import type { DispatchForecast } from '../../contract/dispatch-forecast.js';
import type { Explanation } from '../../contract/explanation.js';
import type { InventoryEntry as InventoryEntryBody } from '../../contract/inventory.js';
import type { Pairing } from '../../contract/pairing.js';
import type { PruneJob } from '../../contract/pruning.js';
import { approvalBody } from './surface-bodies.js';
import { type BodyOf, timeText } from './wire-types.js';

export const pairingBody: BodyOf<PairingView, Pairing> = ({
  decision,
  certificateExpiresAt,
  ...pairing
}) => ({
  ...pairing,
  ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt: timeText(certificateExpiresAt) }),
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
  alerts: entry.alerts.map(alertBody),
  ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt: timeText(certificateExpiresAt) }),
  ...(lastSeenAt === undefined ? {} : { lastSeenAt: timeText(lastSeenAt) }),
  ...(connectedSince === undefined ? {} : { connectedSince: timeText(connectedSince) }),
});

export const deviceBody: BodyOf<DeviceView, Device> = ({
  certificateExpiresAt,
  lastSeenAt,
  connectedSince,
  rotation,
  ...device
}) => ({
  ...device,
  createdAt: timeText(device.createdAt),
  updatedAt: timeText(device.updatedAt),
  certificates: device.certificates.map(({ notBefore, notAfter, ...certificate }) => ({
    ...certificate,
    notBefore: timeText(notBefore),
    notAfter: timeText(notAfter),
  })),
  approvals: device.approvals.map(approvalBody),
  ...(rotation === undefined ? {} : { rotation: { ...rotation, at: timeText(rotation.at) } }),
  alerts: device.alerts.map(alertBody),
  clones: device.clones.map(({ decision, backupAt, ...clone }) => ({
    ...clone,
    firstSeenAt: timeText(clone.firstSeenAt),
    lastSeenAt: timeText(clone.lastSeenAt),
    ...(backupAt === undefined ? {} : { backupAt: timeText(backupAt) }),
    ...(decision === undefined ? {} : { decision: { ...decision, at: timeText(decision.at) } }),
  })),
  decisions: device.decisions.map((decision) => ({ ...decision, at: timeText(decision.at) })),
  ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt: timeText(certificateExpiresAt) }),
  ...(lastSeenAt === undefined ? {} : { lastSeenAt: timeText(lastSeenAt) }),
  ...(connectedSince === undefined ? {} : { connectedSince: timeText(connectedSince) }),
});

export const authorityBody: BodyOf<AuthorityView, AuthorityStatus> = ({ cas, rotation }) => ({
  cas: cas.map(({ since, notBefore, notAfter, ...ca }) => ({
    ...ca,
    since: timeText(since),
    notBefore: timeText(notBefore),
    notAfter: timeText(notAfter),
  })),
  ...(rotation === undefined
    ? {}
    : {
        rotation: {
          ...rotation,
          startedAt: timeText(rotation.startedAt),
          endsAt: timeText(rotation.endsAt),
        },
      }),
});

function alertBody(alert: DeviceAlert) {
  return { ...alert, at: timeText(alert.at) };
}

/** The times of a dispatch as texts. */
function dispatchTimes({
  createdAt,
  updatedAt,
  deliverBy,
  latestEnd,
  deliveredAt,
  finishedAt,
}: DispatchSummaryView | DispatchRecord) {
  return {
    createdAt: timeText(createdAt),
    updatedAt: timeText(updatedAt),
    deliverBy: timeText(deliverBy),
    latestEnd: timeText(latestEnd),
    ...(deliveredAt === undefined ? {} : { deliveredAt: timeText(deliveredAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: timeText(finishedAt) }),
  };
}

export const dispatchBody: BodyOf<DispatchRecord, Dispatch> = (dispatch) => {
  const { deliveredAt: _deliveredAt, finishedAt: _finishedAt, ...rest } = dispatch;
  const steps = dispatch.steps.map((step) => ({ ...step, at: timeText(step.at) }));
  return { ...rest, ...dispatchTimes(dispatch), steps };
};

export const dispatchSummaryBody: BodyOf<DispatchSummaryView, DispatchSummary> = (dispatch) => {
  const { deliveredAt: _deliveredAt, finishedAt: _finishedAt, ...rest } = dispatch;
  return { ...rest, ...dispatchTimes(dispatch) };
};

export const dispatchForecastBody: BodyOf<DispatchForecastView, DispatchForecast> = ({
  dispatch,
  ...forecast
}) => ({
  ...forecast,
  ...(dispatch === undefined ? {} : { dispatch: { ...dispatch, deliverBy: timeText(dispatch.deliverBy) } }),
});

export const pruneJobBody: BodyOf<PruneJobView, PruneJob> = ({ createdAt, finishedAt, ...job }) => ({
  ...job,
  createdAt: timeText(createdAt),
  ...(finishedAt === undefined ? {} : { finishedAt: timeText(finishedAt) }),
});

export const explanationBody: BodyOf<ExplanationView, Explanation> = ({ since, next, ...explanation }) => ({
  ...explanation,
  history: explanation.history.map((entry) => ({ ...entry, at: timeText(entry.at) })),
  deadlines: explanation.deadlines.map((deadline) => ({ ...deadline, at: timeText(deadline.at) })),
  ...(since === undefined ? {} : { since: timeText(since) }),
  ...(next === undefined ? {} : { next: { ...next, at: timeText(next.at) } }),
});
