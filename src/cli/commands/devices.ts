import { type Command, Option } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import type { Device } from '../../contract/device.js';
import { type Trust, trustStates } from '../../contract/device-states.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { deviceText, trustColours } from '../device-text.js';
import { allDevices, findDevice } from '../find-device.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface ListFlags extends ConnectionFlags {
  readonly trust?: readonly Trust[];
  readonly all?: boolean;
}

/** `palyra devices list | show` */
export function registerDevicesCommand(program: Command, context: CliContext): void {
  const devices = program
    .command('devices')
    .summary('look at the identities behind the machines')
    .description('The identities behind the machines: whom they are trusted as, by what, and for how long.')
    .addHelpText(
      'after',
      examples(
        ['palyra devices list', 'every device with its trust and certificate'],
        ['palyra devices show build-7', 'one device with all that is known of it'],
      ),
    );
  const list = devices
    .command('list')
    .description('List devices; those that were removed only when asked for.')
    .addOption(new Option('--trust <states...>', 'only these').choices(trustStates))
    .option('--all', 'also those that were removed')
    .addHelpText(
      'after',
      examples(
        ['palyra devices list', 'a table'],
        ['palyra devices list --trust revoked removed', 'what is shut out'],
        ['palyra devices list --all --json', '{"devices": […]}'],
      ),
    );
  withConnection(list).action((flags: ListFlags) => listDevices(flags, context));
  const show = devices
    .command('show')
    .description('Show one device with its certificates, approvals and alerts.')
    .argument('<node>', 'its name, its id, or the beginning of its id')
    .addHelpText(
      'after',
      examples(
        ['palyra devices show build-7', 'by name'],
        ['palyra devices show MFZWI3D --json', 'by the beginning of its id'],
      ),
    );
  withConnection(show).action(async (node: string, flags: ConnectionFlags) => {
    const client = await connect(flags, context);
    const device = await findDevice(client, node, trustStates);
    if (flags.json) printJson(context, device);
    else print(context, ...deviceText(context, device));
  });
}

async function listDevices(flags: ListFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const found = await allDevices(client, flags.trust ?? (flags.all ? trustStates : undefined));
  if (flags.json) {
    printJson(context, { devices: found });
    return;
  }
  if (found.length === 0) {
    print(context, 'There is no such device. Invite a machine with: palyra pair');
    return;
  }
  const now = context.clock.now();
  const table = tableText<Device>(
    context,
    [
      { head: 'NAME', text: ({ name }) => name, elastic: true },
      { head: 'ID', text: ({ deviceId }) => shortDeviceId(deviceId) },
      { head: 'TRUST', text: ({ trust }) => trust, colour: ({ trust }) => trustColours[trust] },
      { head: 'PRESENCE', text: ({ presence }) => presence },
      { head: 'CERTIFICATE', text: (device) => certificateText(device, now), elastic: true },
      { head: 'JOINED', text: ({ createdAt }) => relativeTime(createdAt, now) },
    ],
    [...found].sort((a, b) => a.name.localeCompare(b.name)),
  );
  print(context, table);
}

function certificateText({ certificateExpiresAt }: Device, now: number): string {
  if (certificateExpiresAt === undefined) return '-';
  const verb = Date.parse(certificateExpiresAt) > now ? 'ends' : 'ended';
  return `${verb} ${relativeTime(certificateExpiresAt, now)}`;
}
