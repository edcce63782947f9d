import { type Command, Option } from 'commander';
import { isDeviceId, shortDeviceId } from '../../actors/identity/device-id.js';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { Device } from '../../contract/device.js';
import { type Trust, trustStates } from '../../contract/device-states.js';
import { AppError } from '../../kernel/errors.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import {
  type DeviceDecisionFlags,
  type DeviceTarget,
  type DeviceVerb,
  decideDevice,
} from '../decide-device.js';
import { deviceText, trustColours } from '../device-text.js';
import { allDevices, findDevice } from '../find-device.js';
import { type Examples, examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';
import { registerAllowRestoredCommand } from './devices-allow-restored.js';
import { registerCloneCommand } from './devices-clone.js';
import { registerLabelCommand } from './devices-label.js';

interface ListFlags extends ConnectionFlags {
  readonly trust?: readonly Trust[];
  readonly all?: boolean;
}

/** `palyra devices list | show | rename | label | rotate | revoke | remove | ban | lift | clone | allow-restored` */
export function registerDevicesCommand(program: Command, context: CliContext): void {
  const devices = program
    .command('devices')
    .summary('look at the identities behind the machines, and shut them out')
    .description(
      'The identities behind the machines: whether they are trusted, by what, and for how long; and how to end that.',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra devices list', 'every device with its trust and certificate'],
        ['palyra devices show build-7', 'one device with all that is known of it'],
        ['palyra devices label build-7 role=edge', 'what is granted by label counts by it at once'],
        ['palyra devices rotate build-7', 'a fresh key and certificate'],
        ["palyra devices revoke build-7 --reason 'laptop lost'", 'shut it out, at once, until you lift that'],
        ["palyra devices lift build-7 --reason 'found'", 'let it in again'],
        [
          "palyra devices clone build-7 reject --reason 'a copy'",
          'which of two hosts with its identity it is',
        ],
      ),
    );
  const list = devices
    .command('list')
    .description(
      'List devices; those of which only the id is left (removed, banned, lifted) only when asked for.',
    )
    .addOption(new Option('--trust <states...>', 'only these').choices(trustStates))
    .option('--all', 'also those of which only the id is left')
    .addHelpText(
      'after',
      examples(
        ['palyra devices list', 'a table'],
        ['palyra devices list --trust revoked removed banned', 'what is shut out'],
        ['palyra devices list --all --json', '{"devices": […]}'],
      ),
    );
  withConnection(list).action((flags: ListFlags) => listDevices(flags, context));
  const show = devices
    .command('show')
    .description('Show one device with its certificates, approvals and alerts.')
    .argument('<node>', nodeArgument)
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
  const rename = devices
    .command('rename')
    .description('Give a device another name. Its host learns it when it connects next.')
    .argument('<node>', nodeArgument)
    .argument('<name>', 'up to 63 letters, digits and . _ -')
    .option('--reason <text>', 'why; recorded')
    .option('--if-version <number>', ifVersionText, wholeNumber)
    .addHelpText('after', examples(['palyra devices rename build-7 build-8', 'from now on it is build-8']));
  withConnection(rename).action(
    async (node: string, name: string, { reason, ifVersion, ...flags }: RenameFlags) => {
      const client = await connect(flags, context);
      const { deviceId, name: before } = await findDevice(client, node, trustStates);
      const renamed = await client.renameDevice(deviceId, {
        name,
        ...optional(reason, ifVersion),
      });
      if (flags.json) printJson(context, renamed);
      else print(context, `${printable(before)} is ${printable(renamed.name)} from now on.`);
    },
  );
  registerLabelCommand(devices, context, ['--if-version <number>', ifVersionText, wholeNumber]);
  const rotate = devices
    .command('rotate')
    .description(
      'Order a device to renew its certificate, with a fresh key: now, or when it is back. The old one works until then.',
    )
    .argument('<node>', nodeArgument)
    .option('--reason <text>', 'why; recorded, and told to the machine')
    .option('--if-version <number>', ifVersionText, wholeNumber)
    .addHelpText(
      'after',
      examples(
        ['palyra devices rotate build-7', 'a fresh key and certificate'],
        ['palyra devices show build-7', 'whether it has been carried out'],
      ),
    );
  withConnection(rotate).action(
    async (node: string, { reason, ifVersion, ...flags }: ConnectionFlags & OptionalReason) => {
      const client = await connect(flags, context);
      const { deviceId } = await findDevice(client, node, trustStates);
      const ordered = await client.rotateDevice(deviceId, optional(reason, ifVersion));
      if (flags.json) printJson(context, ordered);
      else print(context, rotationText(ordered));
    },
  );
  for (const verb of Object.keys(verbs) as DeviceVerb[]) addDecision(devices, context, verb);
  registerAllowRestoredCommand(devices, context);
  registerCloneCommand(devices, context, ['--if-version <number>', ifVersionText, wholeNumber]);
}

const nodeArgument = 'its name, its id, or the beginning of its id';
const ifVersionText = 'only if the device is at this version, as `devices show` says it';

/** What a decision may go without. */
interface OptionalReason {
  readonly reason?: string;
  readonly ifVersion?: number;
}

type RenameFlags = ConnectionFlags & OptionalReason;

function optional(reason: string | undefined, version: number | undefined) {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(version === undefined ? {} : { version }),
  };
}

function rotationText({ name, presence }: Device): string {
  return presence === 'offline'
    ? `${printable(name)} is offline: it renews its certificate when it is back.`
    : `${printable(name)} renews its certificate now. See it with: palyra devices show ${printable(name)}`;
}

const verbs: Readonly<Record<DeviceVerb, { readonly description: string; readonly examples: Examples }>> = {
  revoke: {
    description:
      'Shut a device out as it is. Its session and what runs on it end at once; certificate and approvals are kept for when this is lifted.',
    examples: [
      ["palyra devices revoke build-7 --reason 'laptop lost'", 'shows the device and asks'],
      ["palyra devices revoke MFZWI3D --reason 'ticket 812' --yes --json", 'for a script'],
    ],
  },
  remove: {
    description:
      'Shut a device out for good and forget all of it but its id. It leaves the lists, and its name is free again.',
    examples: [["palyra devices remove build-7 --reason 'scrapped'", 'shows the device and asks']],
  },
  ban: {
    description: 'Shut an id out, whether it has ever come or not. It can neither connect nor ask to join.',
    examples: [
      ["palyra devices ban MFZWI3D-… --reason 'stolen'", 'the whole id, as on the screen of the machine'],
      ["palyra devices ban build-7 --reason 'compromised'", 'one that is here'],
    ],
  },
  lift: {
    description:
      'Let a device in again. A revoked one may connect with the certificate that it has; a removed or banned one may ask to join, as a new machine.',
    examples: [["palyra devices lift build-7 --reason 'found'", 'shows the device and asks']],
  },
};

function addDecision(devices: Command, context: CliContext, verb: DeviceVerb): void {
  const command = devices
    .command(verb)
    .description(verbs[verb].description)
    .argument('<node>', nodeArgument)
    .requiredOption('--reason <text>', 'why; recorded, and told to the machine')
    .option('--if-version <number>', ifVersionText, wholeNumber)
    .option('--yes', 'decide without asking')
    .addHelpText('after', examples(...verbs[verb].examples));
  withConnection(command).action(async (node: string, flags: ConnectionFlags & DeviceDecisionFlags) => {
    const client = await connect(flags, context);
    await decideDevice(client, context, await target(client, node, verb), verb, flags);
  });
}

/** The device that is meant. A ban may come before its device. */
async function target(client: ControlPlaneClient, node: string, verb: DeviceVerb): Promise<DeviceTarget> {
  try {
    return await findDevice(client, node, trustStates);
  } catch (thrown) {
    const id = node.toUpperCase().replaceAll('-', '');
    const isUnknown = thrown instanceof AppError && thrown.code === 'device.not_found';
    if (verb === 'ban' && isUnknown && isDeviceId(id)) return { deviceId: id };
    throw thrown;
  }
}

function wholeNumber(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw cliError('usage', `--if-version takes a whole number, not '${text}'`, {
    hint: 'See the version with `palyra devices show`.',
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
