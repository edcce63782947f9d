import type { Command } from 'commander';
import { shortDeviceId } from '../../actors/identity/device-id.js';
import { trustStates } from '../../contract/device-states.js';
import type { InventoryEntry } from '../../contract/inventory.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { trustColours } from '../device-text.js';
import { examples } from '../help-text.js';
import { colours, print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

/** `palyra inventory` */
export function registerInventoryCommand(program: Command, context: CliContext): void {
  const command = program
    .command('inventory')
    .summary('show every machine with its trust, presence and capabilities')
    .description('Show every machine with its trust, presence and capabilities.')
    .addHelpText(
      'after',
      examples(
        ['palyra inventory', 'a table'],
        ['palyra inventory --all', 'also what was removed, banned or lifted'],
        ['palyra inventory --json', '{"devices": […]}, with digests and versions of all capabilities'],
      ),
    );
  command.option('--all', 'also devices of which only the id is left (removed, banned, lifted)');
  withConnection(command).action((flags: InventoryFlags) => inventory(flags, context));
}

interface InventoryFlags extends ConnectionFlags {
  readonly all?: boolean;
}

async function inventory(flags: InventoryFlags, context: CliContext): Promise<void> {
  const client = await connect(flags, context);
  const found = await client.inventory(flags.all ? { trust: ['pending', ...trustStates] } : {});
  if (flags.json) {
    printJson(context, found);
    return;
  }
  if (found.devices.length === 0) {
    print(context, 'No machine has joined yet. Invite one with: palyra pair');
    return;
  }
  const now = context.clock.now();
  const table = tableText<InventoryEntry>(
    context,
    [
      { head: 'NAME', text: ({ name }) => name, elastic: true },
      { head: 'ID', text: ({ deviceId }) => shortDeviceId(deviceId) },
      { head: 'TRUST', text: ({ trust }) => trust, colour: ({ trust }) => trustColours[trust] },
      {
        head: 'PRESENCE',
        text: ({ presence }) => presence,
        colour: ({ presence }) => presenceColours[presence],
      },
      { head: 'PLATFORM', text: ({ facts }) => `${facts.platform} ${facts.arch}` },
      { head: 'CAPABILITIES', text: capabilitiesText, elastic: true },
      { head: 'LAST SEEN', text: (entry) => lastSeen(entry, now) },
    ],
    found.devices,
  );
  const { yellow } = colours(context.stdout, context.env);
  const alerts = found.devices.flatMap(({ name, alerts }) =>
    alerts.map(
      ({ message, at }) => `${yellow('!')} ${printable(`${name}: ${message}`)} (${relativeTime(at, now)})`,
    ),
  );
  const waiting = found.devices
    .flatMap((entry) => waitingText(entry) ?? [])
    .map((text) => `${yellow('!')} ${text}`);
  const notes = [...alerts, ...waiting];
  print(context, table, ...(notes.length === 0 ? [] : ['', ...notes]));
}

const presenceColours = { online: 'green', late: 'yellow', offline: 'dim' } as const;

/** What may be called, then how many may not. */
function capabilitiesText({ capabilities }: InventoryEntry): string {
  const usable = capabilities
    .filter(({ status }) => status === 'available')
    .map(({ capability }) => capability);
  const others = capabilities.length - usable.length;
  const names = usable.sort().join(', ') || '-';
  return others === 0 ? names : `${names} (${others} not usable)`;
}

/** What of a machine that has joined waits for a decision. */
function waitingText({ name, trust, capabilities }: InventoryEntry): string | undefined {
  const names = capabilities
    .filter(({ decision }) => decision === 'pending')
    .map(({ capability }) => capability);
  if (trust !== 'trusted' || names.length === 0) return undefined;
  const shown = printable(names.sort().slice(0, 3).join(', '));
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  const verb = names.length === 1 ? 'waits' : 'wait';
  return `${printable(name)}: ${shown}${more} ${verb} for approval: palyra surfaces show ${printable(name)}`;
}

function lastSeen({ presence, lastSeenAt }: InventoryEntry, now: number): string {
  if (presence === 'online') return 'now';
  return lastSeenAt === undefined ? 'never' : relativeTime(lastSeenAt, now);
}
