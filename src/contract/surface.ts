import { Type } from 'typebox';
import { DescriptorSchema } from './descriptor.js';
import { deviceId, SurfaceApprovalSchema } from './device.js';
import { ErrorEnvelopeSchema } from './error.js';
import { GrantSchema } from './grant.js';
import { PluginStandingSchema } from './plugin-standing.js';
import { closed, digest, note, pageLimit, pageNext, time, type Wire, words } from './primitives.js';
import { changeKinds, surfaceActions, surfaceStates, surfaceVerdicts } from './surface-states.js';

const surfaceState = words(
  surfaceStates,
  'pending: nobody has decided, and it can not be called; rejected: this version; revoked: every version',
);

const SurfaceChangeSchema = Type.Object(
  {
    pointer: Type.String({ description: 'where in the descriptor, as a JSON pointer' }),
    kind: words(changeKinds, 'what it means for trust; unknown counts as wider'),
    sentence: Type.String({ description: 'for people; it quotes what the plugin says' }),
  },
  closed,
);

const SurfaceRefusalSchema = Type.Object(
  {
    capability: Type.String(),
    digest: Type.Optional(Type.String({ description: 'absent when it stands for every version' })),
    by: Type.String(),
    at: time('when it was decided'),
    reason: Type.String(),
  },
  closed,
);

export const SurfaceSchema = Type.Object(
  {
    deviceId: Type.String(),
    node: Type.String({ description: 'the name of the node' }),
    capability: Type.String(),
    digest,
    plugin: Type.String(),
    pluginVersion: Type.String(),
    buildDigest: Type.String({ description: 'of the code that the node runs, as it says' }),
    standing: Type.Optional(PluginStandingSchema),
    state: surfaceState,
    enabled: Type.Boolean({ description: 'whether its plugin is enabled on the daemon' }),
    verdict: words(surfaceVerdicts, 'how it compares to what was approved last on this node'),
    changes: Type.Array(SurfaceChangeSchema, { description: 'how it differs from that, wider first' }),
    refusal: Type.Optional(ErrorEnvelopeSchema),
    approved: Type.Optional(SurfaceApprovalSchema),
    refused: Type.Optional(SurfaceRefusalSchema),
    granted: Type.Optional(GrantSchema),
    actions: Type.Array(words(surfaceActions, 'what can be decided about it'), {
      description: 'what can be done with it in its state, by who may',
    }),
  },
  closed,
);
export type Surface = Wire<typeof SurfaceSchema>;

export const SurfaceDetailSchema = Type.Object(
  {
    ...SurfaceSchema.properties,
    descriptor: Type.Optional(DescriptorSchema),
    before: Type.Optional(DescriptorSchema),
  },
  closed,
);
export type SurfaceDetail = Wire<typeof SurfaceDetailSchema>;

const capability = Type.String({
  pattern: '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$',
  maxLength: 64,
  description: 'the name of a capability',
});

export const surfaceParams = Type.Object({ id: deviceId, capability }, closed);

/** Several states are given as `?state=a&state=b`. */
export const SurfaceFilterSchema = Type.Object(
  {
    state: Type.Optional(Type.Array(surfaceState, { description: 'only these' })),
    deviceId: Type.Optional(deviceId),
    limit: pageLimit,
    cursor: Type.Optional(
      Type.String({ pattern: '^[A-Z2-7]{56}/[a-z0-9_.]{1,64}$', description: '`next` of the page before' }),
    ),
  },
  closed,
);

export const SurfacePageSchema = Type.Object(
  {
    surfaces: Type.Array(SurfaceSchema),
    next: pageNext,
  },
  closed,
);
export type SurfacePage = Wire<typeof SurfacePageSchema>;

export const DecideSurfaceSchema = Type.Object(
  {
    action: words(surfaceActions, 'what is decided'),
    digest: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'the digest of what the person who decides saw; another one is refused',
    }),
    buildDigest: Type.Optional(
      Type.String({ maxLength: 256, description: 'the same for the build; left out when any will do' }),
    ),
    reason: Type.Optional(note('why; recorded with the decision')),
  },
  closed,
);
export type DecideSurface = Wire<typeof DecideSurfaceSchema>;
