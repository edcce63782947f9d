import { Type } from 'typebox';
import { DescriptorSchema } from './descriptor.js';
import { deviceStates } from './device-states.js';
import { HostFactsSchema } from './host-facts.js';
import { pairingStates } from './pairing-states.js';
import { PluginStandingSchema } from './plugin-standing.js';
import {
  closed,
  digest,
  id,
  labels,
  nodeName,
  note,
  pageFilter,
  pageNext,
  time,
  type Wire,
  words,
} from './primitives.js';

const pairingState = words(pairingStates, 'where the pairing is');

export const PairingDecisionSchema = Type.Object(
  {
    transcript: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'the transcript of the pairing as the person who decides saw it, 64 hexadecimal digits',
    }),
    reason: Type.Optional(note('why; recorded with the decision')),
  },
  closed,
);
export type PairingRejection = Wire<typeof PairingDecisionSchema>;

export const PairingApprovalSchema = Type.Object(
  {
    ...PairingDecisionSchema.properties,
    name: Type.Optional(nodeName),
  },
  closed,
);
export type PairingApproval = Wire<typeof PairingApprovalSchema>;

const RequestedCapabilitySchema = Type.Object(
  {
    digest,
    capability: Type.String(),
    plugin: Type.String(),
    pluginVersion: Type.String(),
    buildDigest: Type.String(),
    standing: Type.Optional(PluginStandingSchema),
    descriptor: DescriptorSchema,
  },
  closed,
);

export const PairingSchema = Type.Object(
  {
    id: id('pr'),
    version: Type.Integer(),
    state: pairingState,
    deviceId: Type.String(),
    method: words(
      ['join', 'pin', 'return'],
      'by what the machine proved itself; return: by the key of a known device',
    ),
    certificateExpiresAt: Type.Optional(
      time('of a device that comes back: when its last certificate ended, or will'),
    ),
    codeId: Type.String({ description: 'the code that the machine used; empty for a return' }),
    transcript: Type.String({ description: 'what a decision has to name' }),
    wordsTranscript: Type.String({ description: 'what the fingerprint words are made of' }),
    fingerprintWords: Type.Array(Type.String(), {
      description: 'the same words as on the screen of the machine',
    }),
    csrDigest: digest,
    surfaceDigest: Type.String(),
    requested: Type.Array(RequestedCapabilitySchema, { description: 'what the machine asks to offer' }),
    facts: HostFactsSchema,
    proposedName: Type.String(),
    peerAddress: Type.String({ description: 'where the request came from' }),
    purpose: Type.String(),
    labels,
    alerts: Type.Array(Type.String()),
    seenBefore: Type.Optional(words(deviceStates, 'what this device was before; absent for a new one')),
    createdAt: time('when the machine asked first'),
    updatedAt: time('when this changed last'),
    expiresAt: time('when it ends if nothing happens'),
    decision: Type.Optional(
      Type.Object(
        {
          by: Type.String(),
          at: time('when it was decided'),
          reason: Type.String(),
          name: Type.String(),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type Pairing = Wire<typeof PairingSchema>;

export const PairingListSchema = Type.Object({ pairings: Type.Array(PairingSchema), next: pageNext }, closed);
export type PairingList = Wire<typeof PairingListSchema>;

export const PairingFilterSchema = pageFilter(pairingState, 'pr');
