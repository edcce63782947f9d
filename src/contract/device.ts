import { Type } from 'typebox';
import {
  cloneActions,
  cloneStates,
  deviceActions,
  deviceDecisions,
  hiddenTrustStates,
  trustStates,
} from './device-states.js';
import { HostFactsSchema } from './host-facts.js';
import {
  closed,
  digest,
  givenLabelName,
  givenLabels,
  id,
  labels,
  mostGivenLabels,
  nodeName,
  note,
  pageLimit,
  pageNext,
  time,
  type Wire,
  words,
} from './primitives.js';

export const trustState = words(
  trustStates,
  'whether the device may connect; expired: it is trusted, and its newest certificate has ended',
);

export const alertSchema = Type.Object(
  {
    code: words(['clone', 'join_string_reused', 'pin_reused'], 'what was noticed'),
    at: time('when it was noticed'),
    message: Type.String(),
  },
  closed,
);

const DeviceCertificateSchema = Type.Object(
  {
    fingerprint: digest,
    issuer: digest,
    serial: Type.String(),
    notBefore: time('when it begins to be valid'),
    notAfter: time('when it ends'),
    pending: Type.Boolean({
      description:
        'issued and not used yet; the one before stays valid until a session with this one is live',
    }),
  },
  closed,
);

export const SurfaceApprovalSchema = Type.Object(
  {
    digest,
    capability: Type.String(),
    approvedBy: Type.String(),
    approvedAt: time('when it was approved'),
    buildDigest: Type.Optional(Type.String({ description: 'the build that was offered then' })),
    reason: Type.Optional(Type.String()),
    follows: Type.Optional(
      Type.Object(
        { digest, approvedBy: Type.String(), approvedAt: time('when that was approved') },
        {
          ...closed,
          description: 'the daemon granted it, since it asks for no more than what an operator had approved',
        },
      ),
    ),
  },
  closed,
);

const deviceAction = words(deviceActions, 'what can be decided about a device');

export const deviceActionList = Type.Array(deviceAction, {
  description: 'what can be done with it in its state, by who may',
});

const DeviceDecisionSchema = Type.Object(
  {
    action: words(deviceDecisions, 'what was decided; leave: its owner took it out'),
    by: Type.String(),
    at: time('when it was decided'),
    reason: Type.String(),
  },
  closed,
);

const RotationSchema = Type.Object(
  { by: Type.String(), at: time('when it was ordered'), reason: Type.String() },
  {
    ...closed,
    description: 'it is to have a new certificate; there until one that was issued since is used',
  },
);

const cloneAction = words(cloneActions, 'what can be decided about another host');

const CloneSchema = Type.Object(
  {
    id: id('cl'),
    state: words(
      cloneStates,
      'waiting and admitted wait for a decision; replacing and allowing wait for the host to come again',
    ),
    kind: words(
      ['two_hosts', 'older_state', 'after_restore', 'displaced'],
      'why it is not the host that was known: another one answered, it showed a ticket of the past, it was the first with one that is not in a restored backup, or it was put aside',
    ),
    backupAt: Type.Optional(time('when the backup was made, for after_restore')),
    address: Type.String(),
    hostname: Type.String({ description: 'what it says of itself' }),
    firstSeenAt: time('when it came first'),
    lastSeenAt: time('when it came last'),
    attempts: Type.Integer({ description: 'how often it has come' }),
    actions: Type.Array(cloneAction, { description: 'what can be decided about it' }),
    decision: Type.Optional(
      Type.Object(
        {
          action: cloneAction,
          by: Type.String(),
          at: time('when it was decided'),
          reason: Type.String(),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type Clone = Wire<typeof CloneSchema>;

export const DeviceSchema = Type.Object(
  {
    deviceId: Type.String(),
    version: Type.Integer({ description: 'one more with each change' }),
    name: Type.String(),
    trust: trustState,
    presence: words(['online', 'late', 'offline'], 'late: 2 heartbeats missed; offline: 4, or no session'),
    identityKey: Type.String({ description: 'its public Ed25519 key, base64url' }),
    labels,
    facts: HostFactsSchema,
    certificates: Type.Array(DeviceCertificateSchema, { description: 'those that it may connect with' }),
    approvals: Type.Array(SurfaceApprovalSchema, { description: 'the capabilities that may run on it' }),
    epoch: Type.Integer({ description: 'grows with each session' }),
    rotation: Type.Optional(RotationSchema),
    alerts: Type.Array(alertSchema, { description: 'what an operator should look at' }),
    clones: Type.Array(CloneSchema, {
      description: 'other hosts that came with its identity, the latest last',
    }),
    decisions: Type.Array(DeviceDecisionSchema, { description: 'what operators decided, the latest last' }),
    actions: deviceActionList,
    createdAt: time('when it was approved or banned first'),
    updatedAt: time('when this changed last'),
    certificateExpiresAt: Type.Optional(time('when its newest certificate ends')),
    lastSeenAt: Type.Optional(time('when it was heard of last')),
    connectedSince: Type.Optional(time('when its session began')),
  },
  closed,
);
export type Device = Wire<typeof DeviceSchema>;

/** What may be a device id. The daemon's one parser of device ids takes it from there: it says which characters are wrong. */
export const deviceId = Type.String({
  pattern: '^[A-Za-z0-9-]{1,80}$',
  description:
    'a device id: 56 letters and digits with check characters, in 8 groups joined by - or without grouping',
});

export const deviceParams = Type.Object({ id: deviceId }, closed);

/** Several states are given as `?trust=a&trust=b`. */
export const DeviceFilterSchema = Type.Object(
  {
    trust: Type.Optional(
      Type.Array(trustState, { description: `only these; default: all but ${hiddenTrustStates.join(', ')}` }),
    ),
    limit: pageLimit,
    cursor: Type.Optional(
      Type.String({ pattern: '^[A-Z2-7]{56}$', description: '`next` of the page before' }),
    ),
  },
  closed,
);

export const DevicePageSchema = Type.Object(
  {
    devices: Type.Array(DeviceSchema),
    next: pageNext,
  },
  closed,
);
export type DevicePage = Wire<typeof DevicePageSchema>;

const decision = {
  reason: Type.String({ minLength: 1, maxLength: 500, description: 'why; recorded, and told to the device' }),
  version: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'the version of the device that the decision is about; 412 when it is another',
    }),
  ),
};

export const DecideDeviceSchema = Type.Object(decision, closed);
export type DecideDevice = Wire<typeof DecideDeviceSchema>;

export const RenameDeviceSchema = Type.Object(
  { ...decision, reason: Type.Optional(note('why; recorded')), name: nodeName },
  closed,
);
export type RenameDevice = Wire<typeof RenameDeviceSchema>;

export const LabelDeviceSchema = Type.Object(
  {
    ...decision,
    reason: Type.Optional(note('why; recorded')),
    labels: Type.Optional(givenLabels),
    remove: Type.Optional(
      Type.Array(givenLabelName, {
        maxItems: mostGivenLabels,
        description: 'the names of labels that it is to lose; the others stay',
      }),
    ),
  },
  closed,
);
export type LabelDevice = Wire<typeof LabelDeviceSchema>;

export const RotateDeviceSchema = Type.Object(
  { ...decision, reason: Type.Optional(note('why; recorded, and told to the device')) },
  closed,
);
export type RotateDevice = Wire<typeof RotateDeviceSchema>;

export const DecideCloneSchema = Type.Object(
  {
    ...decision,
    action: cloneAction,
    clone: Type.Optional(id('cl')),
  },
  closed,
);
export type DecideClone = Wire<typeof DecideCloneSchema>;
