/** How a machine proves that it was invited. */
export const pairingMethods = ['join', 'pin'] as const;
export type PairingMethod = (typeof pairingMethods)[number];

/** `bound`: a machine has proven it. `exhausted`: five wrong proofs have ended it. */
export const pairingCodeStates = ['live', 'bound', 'used', 'exhausted', 'cancelled', 'expired'] as const;
export type PairingCodeState = (typeof pairingCodeStates)[number];

/** Forms in which a QR code can be had. */
export const qrFormats = ['svg', 'png'] as const;
export type QrFormat = (typeof qrFormats)[number];
