import { Type } from 'typebox';
import { pairingCodeStates, pairingMethods, qrFormats } from './pairing-code-states.js';
import {
  closed,
  givenLabels,
  id,
  labels,
  milliseconds,
  note,
  pageFilter,
  pageNext,
  time,
  type Wire,
  words,
} from './primitives.js';

const method = words(pairingMethods, 'how a machine proves it: as a whole string, or as a PIN that is typed');
const codeState = words(pairingCodeStates, 'bound: a machine has proven it; exhausted: five wrong proofs');

export const MintPairingCodeSchema = Type.Object(
  {
    method: Type.Optional(words(pairingMethods, 'join: a join string, the default; pin: a PIN')),
    ttlMs: Type.Optional(
      milliseconds('how long the code lives, 30 s to 24 h, or to 15 min for a PIN', {
        minimum: 30_000,
        maximum: 86_400_000,
      }),
    ),
    purpose: Type.Optional(note('what the machine is for; shown with its request')),
    labels: Type.Optional(givenLabels),
    qr: Type.Optional(words(qrFormats, 'also give the join string as a QR code of this form')),
  },
  closed,
);
export type MintPairingCode = Wire<typeof MintPairingCodeSchema>;

const minted = {
  id: id('pc'),
  expiresAt: time('when the code ends'),
  enrollmentAddresses: Type.Array(Type.String(), { description: 'host:port of the enrolment port' }),
  loopbackOnly: Type.Boolean({ description: 'true when no other machine could use the code' }),
};

const QrCodeSchema = Type.Object(
  {
    format: words(qrFormats, 'what the image is'),
    image: Type.String({ description: 'SVG as text, PNG in base64' }),
  },
  closed,
);

const MintedJoinCodeSchema = Type.Object(
  {
    method: Type.Literal('join'),
    ...minted,
    joinString: Type.String({ description: 'shown once, here; stored nowhere' }),
    qr: Type.Optional(QrCodeSchema),
  },
  closed,
);
export type MintedJoinCode = Wire<typeof MintedJoinCodeSchema>;

const MintedPinSchema = Type.Object(
  {
    method: Type.Literal('pin'),
    ...minted,
    pin: Type.String({ description: 'as it is typed, <slot>-<6 digits>; shown once, here; stored nowhere' }),
  },
  closed,
);
export type MintedPin = Wire<typeof MintedPinSchema>;

export const MintedPairingCodeSchema = Type.Union([MintedJoinCodeSchema, MintedPinSchema]);
export type MintedPairingCode = Wire<typeof MintedPairingCodeSchema>;

const wrongProof = { at: time('when it came'), address: Type.String({ description: 'where it came from' }) };

export const PairingCodeSchema = Type.Object(
  {
    id: id('pc'),
    version: Type.Integer(),
    state: codeState,
    method,
    slot: Type.Optional(Type.String({ description: 'of a PIN: its public part, before the hyphen' })),
    purpose: Type.String(),
    labels,
    wrongProofs: Type.Array(Type.Object(wrongProof, closed), {
      description: 'wrong, or being compared at this moment; five end the code',
    }),
    boundTo: Type.Optional(Type.String({ description: 'the device that has proven it' })),
    pairingId: Type.Optional(Type.String({ description: 'the request that it has led to' })),
    endReason: Type.Optional(Type.String({ description: 'why it ended without being used' })),
    mintedBy: Type.String(),
    createdAt: time('when it was made'),
    updatedAt: time('when this changed last'),
    expiresAt: time('when it ends, or would have'),
  },
  closed,
);
export type PairingCode = Wire<typeof PairingCodeSchema>;

export const PairingCodePageSchema = Type.Object(
  { codes: Type.Array(PairingCodeSchema), next: pageNext },
  closed,
);
export type PairingCodePage = Wire<typeof PairingCodePageSchema>;

export const PairingCodeFilterSchema = pageFilter(codeState, 'pc');

export const DecideCodeSchema = Type.Object({ reason: Type.Optional(note('why; recorded')) }, closed);
export type DecideCode = Wire<typeof DecideCodeSchema>;

export const PinPairingSchema = Type.Object(
  {
    locked: Type.Boolean({ description: 'true: no PIN is taken or minted until it is unlocked' }),
    lockedAt: Type.Optional(time('when it was locked')),
    wrongProofs: Type.Array(Type.Object({ ...wrongProof, codeId: Type.String() }, closed), {
      description: 'of the last 24 hours, or since it was unlocked; 20 lock',
    }),
  },
  closed,
);
export type PinPairing = Wire<typeof PinPairingSchema>;
