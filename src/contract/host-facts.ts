import { Type } from 'typebox';
import { closed } from './primitives.js';

/** What a machine says of itself. Never a ground for a decision. */
export const HostFactsSchema = Type.Object(
  {
    hostname: Type.String(),
    platform: Type.String(),
    arch: Type.String(),
    osRelease: Type.String(),
    nodeVersion: Type.String(),
    palyraVersion: Type.String(),
  },
  { ...closed, description: 'what the machine says of itself' },
);
