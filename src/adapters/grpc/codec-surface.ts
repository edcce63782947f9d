import type { EffectiveSurface, SurfaceStatus } from '../../actors/link/frames.js';
import type { RegisterNodeReply__Output } from './gen/palyra/node/v1/RegisterNodeReply.js';
import type { Surface__Output } from './gen/palyra/node/v1/Surface.js';

const surfaceToWire = {
  accepted: 'ACCEPTED',
  not_enabled: 'NOT_ENABLED',
  not_approved: 'NOT_APPROVED',
} as const;
const surfaceFromWire: Readonly<Record<string, SurfaceStatus>> = {
  ACCEPTED: 'accepted',
  NOT_ENABLED: 'not_enabled',
};

/** What becomes of what a node offers: in the answer to its registration, and in a frame when that changes. */
export function effectiveSurfaceToWire({ surface, surfaceDigest, settings }: EffectiveSurface) {
  return {
    surface: surface.map((verdict) => ({ ...verdict, status: surfaceToWire[verdict.status] })),
    surfaceDigest,
    settings: settings.map((one) => ({ plugin: one.plugin, settings: Buffer.from(one.settings) })),
  };
}

export function effectiveSurfaceFromWire(
  wire: Surface__Output | RegisterNodeReply__Output,
): EffectiveSurface {
  return {
    surfaceDigest: wire.surfaceDigest,
    surface: wire.surface.map(({ digest, capability, status }) => ({
      digest,
      capability,
      status: surfaceFromWire[status] ?? 'not_approved',
    })),
    settings: wire.settings.map(({ plugin, settings }) => ({ plugin, settings })),
  };
}
