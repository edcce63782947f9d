import { formatDeviceId, shortDeviceId } from '../actors/identity/device-id.js';
import type { Clone, Device } from '../contract/device.js';
import type { CliContext } from './context.js';
import { colours } from './output.js';
import { labelsText } from './pairing-text.js';
import { printable } from './printable.js';
import { relativeTime } from './time-text.js';

export const trustColours = {
  pending: 'yellow',
  trusted: 'green',
  expired: 'yellow',
  revoked: 'red',
  removed: 'dim',
  banned: 'red',
  lifted: 'dim',
} as const;

/** All that is known of a device, its trust first. */
export function deviceText(context: CliContext, device: Device): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const now = context.clock.now();
  const { facts } = device;
  const seen = device.lastSeenAt === undefined ? 'never' : relativeTime(device.lastSeenAt, now);
  const rows: (readonly [string, string])[] = [
    ['Device', formatDeviceId(printable(device.deviceId))],
    ['Trust', paint[trustColours[device.trust]](device.trust)],
    ['Presence', device.presence === 'online' ? 'online' : `${device.presence}, last seen ${seen}`],
    ['Platform', platformText(facts)],
    ['Host', printable(facts.hostname) || '-'],
    ['Labels', printable(labelsText(device.labels)) || '-'],
    ['Approved', approvedText(device)],
    ['Joined', relativeTime(device.createdAt, now)],
    ...device.certificates.map(
      ({ fingerprint, notAfter, pending }, at) =>
        [
          at === 0 ? 'Certificates' : '',
          `${printable(fingerprint).slice(0, 16)}…, ${Date.parse(notAfter) > now ? 'ends' : 'ended'} ${relativeTime(notAfter, now)}${pending ? ', not used yet' : ''}`,
        ] as const,
    ),
    ...rotationRows(device, now),
    ...device.decisions.map(
      ({ action, by, at, reason }, number) =>
        [
          number === 0 ? 'History' : '',
          printable(
            `${decided[action]} by ${by}, ${relativeTime(at, now)}${reason === '' ? '' : `: ${reason}`}`,
          ),
        ] as const,
    ),
    ...device.clones.map(
      (clone, number) => [number === 0 ? 'Other hosts' : '', otherHost(clone, now)] as const,
    ),
    ...device.alerts.map(
      ({ message, at }) =>
        ['Alert', `${paint.yellow(printable(message))} (${relativeTime(at, now)})`] as const,
    ),
  ];
  return [
    `Device ${paint.bold(printable(device.name) || shortDeviceId(device.deviceId))}, version ${device.version}`,
    '',
    ...rows.map(([name, text]) => `  ${name.padEnd(13)} ${text}`.trimEnd()),
  ];
}

const decided = {
  rename: 'renamed',
  label: 'given other labels',
  rotate: 'told to renew its certificate',
  revoke: 'revoked',
  remove: 'removed',
  ban: 'banned',
  lift: 'lifted',
  leave: 'taken out at the machine',
} as const;

/** An order to renew that is not carried out yet. */
function rotationRows({ rotation, presence }: Device, now: number): readonly (readonly [string, string])[] {
  if (!rotation) return [];
  const waits = presence === 'offline' ? ', waits until it is back' : ', under way';
  return [['Rotation', `ordered ${relativeTime(rotation.at, now)}${waits}`]];
}

function platformText({ platform, arch, osRelease, palyraVersion }: Device['facts']): string {
  return platform === '' ? '-' : printable(`${platform} ${arch} (${osRelease}), palyra ${palyraVersion}`);
}

function approvedText({ approvals }: Device): string {
  const names = [...new Set(approvals.map(({ capability }) => capability))].sort();
  return printable(names.join(', ')) || '-';
}

const cloneStateText: Readonly<Record<Clone['state'], string>> = {
  waiting: 'waits for your decision',
  admitted: 'is connected, and waits for your decision',
  replacing: 'becomes the device with its next attempt',
  allowing: 'is let in with its next attempt',
  replaced: 'is the device, in the place of another host',
  allowed: 'is the device',
  rejected: 'is turned away',
};

/** Where another host stands that came with a device's identity. */
export function cloneText({ hostname, address, state }: Clone): string {
  const from = address === '' ? '' : ` at ${address}`;
  return printable(`${hostname || 'A host'}${from} ${cloneStateText[state]}.`);
}

function otherHost(clone: Clone, now: number): string {
  const { id, kind, attempts, lastSeenAt, decision } = clone;
  const came = {
    two_hosts: 'beside it',
    older_state: 'with an older state',
    after_restore: 'as the first since a backup was restored',
    displaced: 'before',
  }[kind];
  const times =
    attempts === 0
      ? ''
      : `, ${attempts === 1 ? 'once' : `${attempts} times`}, last ${relativeTime(lastSeenAt, now)}`;
  const why = decision === undefined ? '' : ` ${decision.by}: ${decision.reason}`;
  return printable(`${id}  ${cloneText(clone)} It came ${came}${times}.${why}`);
}
