import { formatDeviceId } from '../../actors/identity/device-id.js';
import type { HostStatus } from '../../node/host-control.js';
import type { SessionStanding } from '../../node/host-standing.js';
import type { CliContext } from '../context.js';
import { colours } from '../output.js';
import { printable } from '../printable.js';
import { relativeTime } from '../time-text.js';

const isoOf = (time: number): string => new Date(time).toISOString();

/** The standing of a session in a few words: `connected to 10.0.0.1:7444 since 3 min ago, session 4`. */
export function sessionText({ state, since, address, epoch, retryAt }: SessionStanding, now: number): string {
  const where = address === undefined ? '' : ` to ${printable(address)}`;
  const again = retryAt === undefined ? '' : `; tries again ${relativeTime(isoOf(retryAt), now)}`;
  const from = relativeTime(isoOf(since), now);
  switch (state) {
    case 'connected':
      return `connected${where} since ${from}, session ${epoch ?? '-'}`;
    case 'connecting':
      return `connecting${where} since ${from}`;
    case 'waiting':
      return `not connected since ${from}${again}`;
    case 'refused':
      return `refused by the daemon since ${from}${again}`;
    case 'expired':
      return `without a certificate in force since ${from}${again}`;
    case 'pairing':
      return `waits for an operator since ${from}`;
    case 'starting':
    case 'stopping':
      return state;
  }
}

/** What a running host says of itself, as lines of a label and a text. */
export function hostRows(context: CliContext, status: HostStatus): readonly (readonly [string, string])[] {
  const paint = colours(context.stdout, context.env);
  const now = context.clock.now();
  const { session, deviceId, name, certificateEnds, running } = status;
  const { error, capabilities } = session;
  const open = capabilities.filter((one) => one.status === 'accepted').map((one) => one.capability);
  const closed = capabilities.filter((one) => one.status !== 'accepted').map((one) => one.capability);
  const colour = session.state === 'connected' ? paint.green : paint.yellow;
  return [
    ['Session', colour(sessionText(session, now))],
    ...(error === undefined ? [] : [['Why', printable(error.message)] as const]),
    ...(error?.hint === undefined ? [] : [['', paint.dim(printable(error.hint))] as const]),
    ...(session.fingerprintWords === undefined
      ? []
      : [['Words', printable(session.fingerprintWords.join(' '))] as const]),
    ['Node', printable(name ?? session.name ?? '') || '-'],
    ...(deviceId === undefined ? [] : [['Device', formatDeviceId(printable(deviceId))] as const]),
    ...(certificateEnds === undefined
      ? []
      : [
          [
            'Certificate',
            `${certificateEnds > now ? 'ends' : 'ended'} ${relativeTime(isoOf(certificateEnds), now)}`,
          ] as const,
        ]),
    ['May run', printable(open.join(', ')) || 'nothing'],
    ...(closed.length === 0 ? [] : [['May not', printable(closed.join(', '))] as const]),
    ['Running', `${running ?? 0}`],
  ];
}

/** The same for programs: times as RFC 3339. */
export function statusJson({ startedAt, session, certificateEnds, ...status }: HostStatus): object {
  const { since, retryAt, ...rest } = session;
  return {
    ...status,
    startedAt: isoOf(startedAt),
    ...(certificateEnds === undefined ? {} : { certificateEndsAt: isoOf(certificateEnds) }),
    session: {
      ...rest,
      since: isoOf(since),
      ...(retryAt === undefined ? {} : { retryAt: isoOf(retryAt) }),
    },
  };
}

/** Labels in one column, texts in another. */
export function rowLines(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, text]) => `${label.padEnd(width)}${text}`);
}
