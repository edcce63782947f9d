import type { EnrollmentHandlers } from './gen/palyra/node/v1/Enrollment.js';
import type { NodeHandlers } from './gen/palyra/node/v1/Node.js';

/**
 * What a caller must have proven before a call has any effect.
 *
 * - `none`: nothing. Such a call changes nothing that outlives it, and is charged to the address that it comes from.
 * - `code`: an invitation, with a proof that binds this exchange and the identity key that signs it.
 * - `identity`: a signature of the device's identity key over the name of the call, its subject and a fresh nonce.
 * - `device`: a TLS client certificate, issued here, in force, of a device that is trusted at this moment.
 * - `device and identity`: both, of the same device.
 */
export type RpcAuthority = 'none' | 'code' | 'identity' | 'device' | 'device and identity';

/** The names that a generated interface declares itself. */
type Declared<T> = keyof {
  [Name in keyof T as string extends Name ? never : number extends Name ? never : Name]: T[Name];
};

/**
 * Every RPC and who may call it. One that is in the proto files and not here does not compile, and
 * `test/security/rpc-authority.test.ts` calls each without what it asks for.
 */
export const rpcAuthority = {
  Enrollment: {
    Begin: 'none',
    Prove: 'code',
    Challenge: 'none',
    AwaitDecision: 'identity',
    Return: 'identity',
    Confirm: 'identity',
  },
  Node: {
    RegisterNode: 'device',
    Events: 'device',
    Challenge: 'device',
    RenewCertificate: 'device and identity',
    Leave: 'device',
  },
} as const satisfies {
  readonly Enrollment: Readonly<Record<Declared<EnrollmentHandlers>, RpcAuthority>>;
  readonly Node: Readonly<Record<Declared<NodeHandlers>, RpcAuthority>>;
};
