/** What operators decided about a capability as a node offers it now. */
export const surfaceStates = ['pending', 'approved', 'rejected', 'revoked'] as const;
export type SurfaceState = (typeof surfaceStates)[number];

/** What an operator can decide about it. */
export const surfaceActions = ['approve', 'reject', 'revoke'] as const;
export type SurfaceAction = (typeof surfaceActions)[number];

/** How it compares to what was approved before on the node. */
export const surfaceVerdicts = ['new', 'wider', 'narrower', 'neutral', 'same'] as const;

/** What one change of it means. */
export const changeKinds = ['wider', 'unknown', 'narrower', 'neutral'] as const;
