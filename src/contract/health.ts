import { Type } from 'typebox';
import { closed, type Wire, words } from './primitives.js';

export const HealthSchema = Type.Object(
  {
    status: words(['ok'], 'the process answers'),
    ready: Type.Boolean({ description: 'whether the daemon takes requests' }),
  },
  closed,
);
export type Health = Wire<typeof HealthSchema>;
