import { callerLabel } from '../../kernel/authority.js';
import { withPending } from './certificates.js';
import type { DeviceEnrolment, DeviceEvent } from './events.js';
import type { DeviceDecision, DeviceRecord } from './record.js';

/** A device's next record, but for its version, which the table gives it. */
export type DeviceDraft = Omit<DeviceRecord, 'version'>;

/** What an event meets, and what it makes of that. */
export interface DeviceContext {
  readonly id: string;
  readonly now: number;
  readonly record: DeviceRecord | undefined;
  /** What the event makes of it. */
  readonly next: DeviceDraft | undefined;
}

const maxDecisions = 20;

const blankFacts = {
  hostname: '',
  platform: '',
  arch: '',
  osRelease: '',
  nodeVersion: '',
  palyraVersion: '',
};

/** A record that says nothing of a device but its id. @param now milliseconds since the epoch */
export function blankDevice(id: string, now: number): Omit<DeviceDraft, 'state'> {
  return {
    id,
    name: '',
    identityKey: '',
    labels: {},
    facts: blankFacts,
    certificates: [],
    approvals: [],
    offered: [],
    epoch: 0,
    ticket: {},
    clones: [],
    alerts: [],
    decisions: [],
    createdAt: now,
    updatedAt: now,
  };
}

/** The record as it is; for an id that has never been here, one that says nothing of it. */
function standing({ id, now, record }: DeviceContext): DeviceDraft {
  return record ?? { ...blankDevice(id, now), state: 'banned' };
}

/** The record with what was decided about it. */
export function decided(context: DeviceContext, event: DeviceEvent): DeviceDraft {
  const device = standing(context);
  const decision = decisionOf(event, context.now);
  const decisions = decision ? [...device.decisions, decision].slice(-maxDecisions) : device.decisions;
  return { ...device, decisions, updatedAt: context.now };
}

function decisionOf(event: DeviceEvent, now: number): DeviceDecision | undefined {
  if (event.type === 'enrol') return undefined;
  if (event.type === 'recorded') {
    const { action, by, at, reason } = event.bar;
    return { action, by, at, reason };
  }
  return { action: event.type, by: callerLabel(event.caller), at: now, reason: event.reason };
}

/** What is kept of a device that is gone: name and facts for who looks back, nothing that it could come back with. */
export function tombstone(device: DeviceDraft): DeviceDraft {
  return {
    ...device,
    labels: {},
    certificates: [],
    approvals: [],
    refusals: [],
    offered: [],
    ticket: {},
    clones: [],
    rotation: undefined,
    alerts: [],
  };
}

/** The device as an approval makes it: new, or known and renewed. */
export function enrolled(context: DeviceContext, enrolment: DeviceEnrolment): DeviceDraft {
  const { now } = context;
  const known = standing(context);
  const { name, identityKey, labels, facts, certificate, csrDigest, approvals } = enrolment;
  return {
    ...known,
    name,
    identityKey,
    labels: { ...known.labels, ...labels },
    facts,
    certificates: withPending(known.certificates, certificate, csrDigest, undefined, now),
    approvals: [
      ...known.approvals.filter((old) => !approvals.some((asked) => asked.digest === old.digest)),
      ...approvals,
    ],
    refusals: (known.refusals ?? []).filter(
      (refusal) => !approvals.some(({ capability }) => capability === refusal.capability),
    ),
    updatedAt: now,
  };
}
