import type { Command } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import type { Clone, Device } from '../../contract/device.js';
import { type ConfirmationFlags, confirmed, requireSomebody } from '../confirmed.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { allDevices } from '../find-device.js';
import { examples } from '../help-text.js';
import { colours, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface AllowRestoredFlags extends ConnectionFlags, ConfirmationFlags {
  readonly reason: string;
}

/** A device with the host that came first with its identity since a backup was restored. */
interface Returned {
  readonly device: Device;
  readonly host: Clone;
}

/** `palyra devices allow-restored` */
export function registerAllowRestoredCommand(devices: Command, context: CliContext): void {
  const command = devices
    .command('allow-restored')
    .description(
      'After a restore each machine comes once with a ticket that the daemon does not know, as a clone would. Look at all that have come, and say that they are the devices. Those with another host beside it are left to you: palyra devices clone.',
    )
    .requiredOption('--reason <text>', 'why; recorded with each decision')
    .option('--yes', 'decide without asking')
    .addHelpText(
      'after',
      examples(
        [
          "palyra devices allow-restored --reason 'restored on Monday'",
          'shows who came from where, and asks',
        ],
        ["palyra devices allow-restored --reason 'restored' --yes --json", '{"allowed": […], "left": […]}'],
      ),
    );
  withConnection(command).action((flags: AllowRestoredFlags) => allowRestored(flags, context));
}

async function allowRestored(flags: AllowRestoredFlags, context: CliContext): Promise<void> {
  const { reason, json = false } = flags;
  const client = await connect(flags, context);
  const came = (await allDevices(client)).flatMap(returnedOf);
  const alone = came.filter(({ device }) => openCases(device).length === 1);
  const left = came.filter((one) => !alone.includes(one)).map(({ device }) => device);
  if (alone.length > 0) {
    requireSomebody(context, `allow ${alone.length} machines that came after a restore`, flags);
    if (!json) print(context, returnedTable(context, alone), '');
    if (!(await confirmed(context, questionOf(alone.length), flags))) return;
  }
  const allowed: Device[] = [];
  for (const { device, host } of alone) {
    allowed.push(await client.decideClone(device.deviceId, { action: 'allow', reason, clone: host.id }));
  }
  if (json) {
    printJson(context, { allowed, left });
    return;
  }
  const { green } = colours(context.stdout, context.env);
  if (allowed.length > 0) print(context, `${green('✓')} Allowed ${allowed.map(shownName).join(', ')}.`);
  else print(context, 'No machine waits for your word after a restore.');
  if (left.length > 0) {
    print(context, `More than one host came as ${left.map(shownName).join(', ')}: palyra devices show NODE`);
  }
}

function openCases({ clones }: Device): readonly Clone[] {
  return clones.filter(({ state }) => state === 'waiting' || state === 'admitted');
}

function returnedOf(device: Device): readonly Returned[] {
  const host = openCases(device).find(({ kind, state }) => kind === 'after_restore' && state === 'admitted');
  return host === undefined ? [] : [{ device, host }];
}

function returnedTable(context: CliContext, returned: readonly Returned[]): string {
  const now = context.clock.now();
  return tableText<Returned>(
    context,
    [
      { head: 'NODE', text: ({ device }) => device.name, elastic: true },
      { head: 'ID', text: ({ device }) => shortDeviceId(device.deviceId) },
      { head: 'HOST', text: ({ host }) => host.hostname, elastic: true },
      { head: 'ADDRESS', text: ({ host }) => host.address, elastic: true },
      { head: 'CAME', text: ({ host }) => relativeTime(host.lastSeenAt, now) },
    ],
    returned,
  );
}

function questionOf(count: number): string {
  return count === 1
    ? 'Is this the device? Nobody is turned away.'
    : `Are these ${count} the devices? Nobody is turned away.`;
}

function shownName({ name, deviceId }: Device): string {
  return `${printable(name)} (${shortDeviceId(deviceId)})`;
}
