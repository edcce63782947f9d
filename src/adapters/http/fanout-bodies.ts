import type { FanoutView } from '../../actors/fanout/view.js';
import type { Fanout } from '../../contract/fanout.js';
import { type BodyOf, timeText } from './wire-types.js';

export const fanoutBody: BodyOf<FanoutView, Fanout> = ({ finishedAt, ...fanout }) => ({
  ...fanout,
  createdAt: timeText(fanout.createdAt),
  updatedAt: timeText(fanout.updatedAt),
  steps: fanout.steps.map((step) => ({ ...step, at: timeText(step.at) })),
  ...(finishedAt === undefined ? {} : { finishedAt: timeText(finishedAt) }),
});
