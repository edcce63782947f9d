import { Type } from 'typebox';
import { deviceId } from './device.js';
import { closed, digest, givenLabels, id, labels, note, time, type Wire, words } from './primitives.js';

/** What one descriptor is approved for: every device that has all of the labels. */
export const GrantSchema = Type.Object(
  {
    id: id('gr'),
    version: Type.Integer(),
    state: words(['standing', 'withdrawn'], 'withdrawn: it lets nobody run anything any more'),
    capability: Type.String(),
    digest,
    buildDigest: Type.String({ description: 'the build that was seen; counts under plugins.pin: build' }),
    labels,
    by: Type.String(),
    reason: Type.String(),
    createdAt: time('when it was granted'),
    updatedAt: time('when it came into its state'),
  },
  closed,
);
export type Grant = Wire<typeof GrantSchema>;

export const GrantListSchema = Type.Object(
  { grants: Type.Array(GrantSchema, { description: 'the newest first' }) },
  closed,
);
export type GrantList = Wire<typeof GrantListSchema>;

export const CreateGrantSchema = Type.Object(
  {
    deviceId,
    capability: Type.String({
      maxLength: 64,
      description: 'what that device offers by that name is granted',
    }),
    digest: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'the digest of what the person who decides saw; another one is refused',
    }),
    buildDigest: Type.Optional(Type.String({ maxLength: 256, description: 'the same for the build' })),
    labels: Type.Unsafe<Readonly<Record<string, string>>>({ ...givenLabels, minProperties: 1 }),
    reason: Type.Optional(note('why; recorded with the grant')),
  },
  closed,
);
export type CreateGrant = Wire<typeof CreateGrantSchema>;

export const WithdrawGrantSchema = Type.Object({ reason: Type.Optional(note('why; recorded')) }, closed);
