/**
 * What is thought of a device. `trusted`: it may connect; `expired`: it might, and its newest certificate has ended.
 * `revoked`, `removed` and `banned` stay out until that is lifted; `lifted` may ask to join again.
 */
export const trustStates = ['trusted', 'expired', 'revoked', 'removed', 'banned', 'lifted'] as const;
export type Trust = (typeof trustStates)[number];

/** Those of which nothing but the id is left: lists have them only when asked. */
export const hiddenTrustStates: readonly Trust[] = ['removed', 'banned', 'lifted'];

/** What an operator can do with a device, as far as its state goes. */
export const deviceActions = ['rename', 'label', 'rotate', 'revoke', 'remove', 'ban', 'lift'] as const;
export type DeviceAction = (typeof deviceActions)[number];

/** What has been decided about a device: by an operator, or `leave` by its owner at the machine. */
export const deviceDecisions = [...deviceActions, 'leave'] as const;

/** What an operator has decided: trust without a look at the clock. */
export const deviceStates = ['trusted', 'revoked', 'removed', 'banned', 'lifted'] as const;

/** Where another host is that came with a device's identity. */
export const cloneStates = [
  'waiting',
  'admitted',
  'replacing',
  'allowing',
  'replaced',
  'allowed',
  'rejected',
] as const;

/** What an operator can decide about such a host. */
export const cloneActions = ['replace', 'reject', 'allow'] as const;
export type CloneAction = (typeof cloneActions)[number];
