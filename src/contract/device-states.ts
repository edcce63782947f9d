/** What an operator decided about a device; `expired`: it is trusted, and its newest certificate has ended. */
export const trustStates = ['trusted', 'expired', 'revoked', 'removed'] as const;
export type Trust = (typeof trustStates)[number];
