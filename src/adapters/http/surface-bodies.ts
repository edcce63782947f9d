import type { SurfaceApproval } from '../../actors/device/record.js';
import type { GrantRecord } from '../../actors/surface/grants.js';
import type { SurfaceDetail, SurfaceView } from '../../actors/surface/view.js';
import type { Grant } from '../../contract/grant.js';
import type { Surface, SurfaceDetail as SurfaceDetailWire } from '../../contract/surface.js';
import { type BodyOf, timeText } from './wire-types.js';

export function approvalBody({ approvedAt, follows, ...approval }: SurfaceApproval) {
  return {
    ...approval,
    approvedAt: timeText(approvedAt),
    ...(follows === undefined ? {} : { follows: { ...follows, approvedAt: timeText(follows.approvedAt) } }),
  };
}

export const grantBody: BodyOf<GrantRecord, Grant> = (grant) => ({
  ...grant,
  createdAt: timeText(grant.createdAt),
  updatedAt: timeText(grant.updatedAt),
});

export const surfaceBody: BodyOf<SurfaceView, Surface> = ({ approved, refused, granted, ...surface }) => ({
  ...surface,
  ...(approved === undefined ? {} : { approved: approvalBody(approved) }),
  ...(granted === undefined ? {} : { granted: grantBody(granted) }),
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
