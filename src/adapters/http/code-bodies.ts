import type {
  MintedJoinCode,
  MintedPin,
  PairingCodeView,
  PinPairingView,
  WrongProof,
} from '../../actors/pairing/view.js';
import type {
  MintedJoinCode as MintedJoinCodeBody,
  MintedPin as MintedPinBody,
  PairingCode,
  PinPairing,
} from '../../contract/pairing-code.js';
import { type BodyOf, timeText } from './wire-types.js';

/** A minted join string, with its QR code when that was asked for. */
export function mintedJoinBody(
  code: MintedJoinCode,
  qr: MintedJoinCodeBody['qr'] | undefined,
): MintedJoinCodeBody {
  return {
    method: 'join',
    ...code,
    expiresAt: timeText(code.expiresAt),
    ...(qr === undefined ? {} : { qr }),
  };
}

export function mintedPinBody(code: MintedPin): MintedPinBody {
  return { method: 'pin', ...code, expiresAt: timeText(code.expiresAt) };
}

export const codeBody: BodyOf<PairingCodeView, PairingCode> = (code) => ({
  ...code,
  wrongProofs: code.wrongProofs.map(proofBody),
  createdAt: timeText(code.createdAt),
  updatedAt: timeText(code.updatedAt),
  expiresAt: timeText(code.expiresAt),
});

export const pinPairingBody: BodyOf<PinPairingView, PinPairing> = ({ locked, lockedAt, wrongProofs }) => ({
  locked,
  wrongProofs: wrongProofs.map(proofBody),
  ...(lockedAt === undefined ? {} : { lockedAt: timeText(lockedAt) }),
});

function proofBody<Proof extends WrongProof>(proof: Proof): Omit<Proof, 'at'> & { readonly at: string } {
  return { ...proof, at: timeText(proof.at) };
}
