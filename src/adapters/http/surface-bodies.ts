import type { SurfaceApproval } from '../../actors/device/record.js';
import type { SurfaceDetail, SurfaceView } from '../../actors/surface/view.js';
import type { Surface, SurfaceDetail as SurfaceDetailWire } from '../../contract/surface.js';
import { type BodyOf, timeText } from './wire-types.js';

export function approvalBody({ approvedAt, follows, ...approval }: SurfaceApproval) {
  return {
    ...approval,
    approvedAt: timeText(approvedAt),
    ...(follows === undefined ? {} : { follows: { ...follows, approvedAt: timeText(follows.approvedAt) } }),
  };
}

export const surfaceBody: BodyOf<SurfaceView, Surface> = ({ approved, refused, ...surface }) => ({
  ...surface,
  ...(approved === undefined ? {} : { approved: approvalBody(approved) }),
  ...(refused === undefined ? {} : { refused: { ...refused, at: timeText(refused.at) } }),
});

export const surfaceDetailBody: BodyOf<SurfaceDetail, SurfaceDetailWire> = ({
  descriptor,
  before,
  ...surface
}) => ({
  ...surfaceBody(surface),
  ...(descriptor === undefined ? {} : { descriptor }),
  ...(before === undefined ? {} : { before }),
});
