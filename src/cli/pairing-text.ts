import { formatDeviceId } from '../actors/identity/device-id.js';
import type { Pairing } from '../contract/pairing.js';
import type { CliContext } from './context.js';
import { colours } from './output.js';
import { printable } from './printable.js';
import { relativeTime } from './time-text.js';

/** Labels as they are written: `team=infra, tier=1`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** That a known device comes back, and since when it could not. */
function returnRows(
  { method, certificateExpiresAt }: Pairing,
  now: number,
): readonly (readonly [string, string])[] {
  if (method !== 'return') return [];
  const certificate =
    certificateExpiresAt === undefined
      ? 'it has no certificate any more'
      : `certificate ${Date.parse(certificateExpiresAt) > now ? 'ends' : 'expired'} ${relativeTime(certificateExpiresAt, now)}`;
  return [['Comes back', `same key, ${certificate}`]];
}

/** All that a person needs to decide on a request to join, what proves the machine first. */
export function pairingText(context: CliContext, pairing: Pairing): readonly string[] {
  const { bold, yellow, dim } = colours(context.stdout, context.env);
  const { facts } = pairing;
  const now = context.clock.now();
  const rows: (readonly [string, string])[] = [
    ...returnRows(pairing, now),
    ['Words', bold(pairing.fingerprintWords.map(printable).join(' '))],
    ['', dim('The screen of the machine shows the same words. If it does not, reject this.')],
    ['Device', formatDeviceId(printable(pairing.deviceId))],
    ['From', printable(pairing.peerAddress)],
    ['Name', printable(pairing.decision?.name ?? pairing.proposedName)],
    [
      'Platform',
      printable(`${facts.platform} ${facts.arch} (${facts.osRelease}), palyra ${facts.palyraVersion}`),
    ],
    ['Purpose', printable(pairing.purpose) || '-'],
    ['Labels', printable(labelsText(pairing.labels)) || '-'],
    ...pairing.requested.map(
      ({ capability, plugin, pluginVersion, descriptor }, at) =>
        [
          at === 0 ? 'Capabilities' : '',
          printable(
            `${capability}  ${descriptor.title} (${plugin} ${pluginVersion}, ${descriptor.publisher})`,
          ),
        ] as const,
    ),
    ...(pairing.seenBefore === undefined
      ? []
      : [['Seen before', yellow(`this device was ${pairing.seenBefore}`)] as const]),
    ...pairing.alerts.map((alert) => ['Alert', yellow(printable(alert))] as const),
  ];
  return [
    `Request ${bold(printable(pairing.id))}, ${pairing.state}, made ${relativeTime(pairing.createdAt, now)}, ends ${relativeTime(pairing.expiresAt, now)}`,
    '',
    ...rows.map(([name, text]) => `  ${name.padEnd(13)} ${text}`.trimEnd()),
    '',
  ];
}
