import { Type } from 'typebox';
import { closed, digest, milliseconds, note, time, type Wire, words } from './primitives.js';

const CaSchema = Type.Object(
  {
    fingerprint: digest,
    state: words(
      ['issuing', 'trusted', 'retired'],
      'issuing: certificates of nodes are of it; trusted: those that are of it still get in; retired: they do not',
    ),
    since: time('when it came into this state'),
    devices: Type.Integer({ description: 'trusted devices whose newest certificate in use is of it' }),
    caId: Type.String({ description: 'names the daemon in its own certificates' }),
    notBefore: time('when it begins to be valid'),
    notAfter: time('when it ends'),
  },
  closed,
);

export const AuthorityStatusSchema = Type.Object(
  {
    cas: Type.Array(CaSchema, { description: 'the oldest first' }),
    rotation: Type.Optional(
      Type.Object(
        {
          by: Type.String(),
          reason: Type.String(),
          startedAt: time('when the new CA began to issue'),
          endsAt: time('when the one before is retired at the latest'),
          behind: Type.Integer({
            description: 'trusted devices that have not used a certificate of the new CA',
          }),
          behindNames: Type.Array(Type.String(), { description: 'the first 20 of them' }),
        },
        { ...closed, description: 'there while nodes move from one CA to the next' },
      ),
    ),
  },
  closed,
);
export type AuthorityStatus = Wire<typeof AuthorityStatusSchema>;

export const RotateAuthoritySchema = Type.Object(
  {
    overlapMs: Type.Optional(
      milliseconds('how long both CAs are trusted, if not as long as configured', {
        minimum: 1_000,
        maximum: 71_280_000_000,
      }),
    ),
    reason: Type.Optional(note('why; recorded')),
    now: Type.Optional(
      Type.Boolean({ description: 'order every device to renew at once rather than when it is due' }),
    ),
  },
  closed,
);
export type RotateAuthority = Wire<typeof RotateAuthoritySchema>;

export const ForgetAuthoritySchema = Type.Object(
  { fingerprint: digest, reason: Type.Optional(note('why; recorded')) },
  closed,
);
export type ForgetAuthority = Wire<typeof ForgetAuthoritySchema>;
