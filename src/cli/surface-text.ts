import type { Surface } from '../contract/surface.js';
import { type PermissionKind, permissionKinds } from '../plugins/standing.js';
import type { CliContext } from './context.js';
import { colours } from './output.js';
import { printable } from './printable.js';
import { relativeTime } from './time-text.js';

export const surfaceColours = {
  pending: 'yellow',
  approved: 'green',
  rejected: 'red',
  revoked: 'red',
} as const;

const changeColours = { wider: 'red', unknown: 'red', narrower: 'green', neutral: 'dim' } as const;

const compared = {
  new: 'nothing was approved before',
  wider: 'asks for more than what was approved',
  narrower: 'asks for less than what was approved',
  neutral: 'asks for the same as what was approved',
  same: 'as it was approved',
} as const;

/** How an offer compares to what was approved, in a few words. */
export function verdictText({ verdict, state }: Surface): string {
  return verdict === 'same' && state !== 'approved'
    ? 'another build of what was approved'
    : compared[verdict];
}

type Standing = NonNullable<Surface['standing']>;

/** One capability as a node offers it, what was decided about it, and each change. */
export function surfaceText(context: CliContext, surface: Surface): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const now = context.clock.now();
  const { approved, refused, refusal, granted } = surface;
  const rows: (readonly [string, string])[] = [
    ['State', paint[surfaceColours[surface.state]](surface.state)],
    ['Plugin', `${surface.plugin} ${surface.pluginVersion}${surface.enabled ? '' : ', not enabled here'}`],
    ['Digest', surface.digest],
    ['Build', surface.buildDigest],
    ...(surface.standing === undefined ? [] : standingRows(surface.standing)),
    ['Compared', verdictText(surface)],
    ...(approved === undefined ? [] : [['Approved', approvedText(approved, now)] as const]),
    ...(granted === undefined ? [] : [['Granted', grantedText(granted, now)] as const]),
    ...(refused === undefined
      ? []
      : [['Refused', `by ${refused.by}, ${relativeTime(refused.at, now)}: ${refused.reason}`] as const]),
    ...(refusal === undefined ? [] : [['Problem', paint.red(printable(refusal.message))] as const]),
  ];
  return [
    `${paint.bold(printable(surface.capability))} on ${paint.bold(printable(surface.node))}`,
    '',
    ...rows.map(
      ([name, text]) =>
        `  ${name.padEnd(9)} ${name === 'State' || name === 'Problem' ? text : printable(text)}`,
    ),
    ...(surface.changes.length === 0 ? [] : ['']),
    ...surface.changes.map(
      ({ kind, sentence }) => `  ${paint[changeColours[kind]](kind.padEnd(9))} ${printable(sentence)}`,
    ),
  ];
}

function grantedText({ labels, by, createdAt }: NonNullable<Surface['granted']>, now: number): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return `to machines with ${all.join(', ')}, by ${by}, ${relativeTime(createdAt, now)}`;
}

function approvedText(approved: NonNullable<Surface['approved']>, now: number): string {
  const { approvedBy, approvedAt, follows, digest, buildDigest } = approved;
  const what = `${digest.slice(0, 16)}…${buildDigest === undefined ? '' : `, build ${buildDigest.slice(0, 16)}`}`;
  return follows === undefined
    ? `${what}, by ${approvedBy}, ${relativeTime(approvedAt, now)}`
    : `${what}, ${relativeTime(approvedAt, now)}, covered by what ${follows.approvedBy} approved ${relativeTime(follows.approvedAt, now)}`;
}

const kinds = {
  fileSystem: 'files',
  network: 'network',
  childProcesses: 'programs',
  environment: 'environment',
} as const satisfies Record<PermissionKind, string>;

/** How the node runs the plugin, and which of its permissions hold it, as the node says. */
function standingRows({ isolation, enforced, disabled }: Standing): readonly (readonly [string, string])[] {
  const where = isolation === 'process' ? 'in a process of its own' : 'inside the node host';
  const named = (isEnforced: boolean): string =>
    permissionKinds
      .filter((kind) => enforced.includes(kind) === isEnforced)
      .map((kind) => kinds[kind])
      .join(', ');
  const [held, declared] = [named(true), named(false)];
  const permissions = [
    ...(held === '' ? [] : [`held to its permissions on ${held}`]),
    ...(declared === '' ? [] : [`only declares those on ${declared}`]),
  ].join('; ');
  return [
    ['Runs', `${where}, ${permissions}`],
    ...(disabled === undefined ? [] : [['Disabled', disabled] as const]),
  ];
}
