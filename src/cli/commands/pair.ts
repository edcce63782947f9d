import { type Command, Option } from 'commander';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { MintedPairingCode, Pairing } from '../../contract/pairing.js';
import { parseDuration } from '../../kernel/duration.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import { type CliContext, pause } from '../context.js';
import { decidePairing } from '../decide-pairing.js';
import { examples } from '../help-text.js';
import { colours, print, printEvent, printJson } from '../output.js';
import { pairingText } from '../pairing-text.js';
import { printable } from '../printable.js';
import { relativeTime } from '../time-text.js';

interface PairFlags extends ConnectionFlags {
  readonly ttl?: number;
  readonly purpose?: string;
  readonly label: Readonly<Record<string, string>>;
  readonly wait?: boolean;
}

const pollMs = 1_000;

/** `palyra pair` */
export function registerPairCommand(program: Command, context: CliContext): void {
  const command = program
    .command('pair')
    .summary('let one more machine ask to join')
    .description(
      'Make a join string, with which one machine may ask to join. You decide on its request afterwards.',
    )
    .addOption(
      new Option('--method <method>', 'how the machine proves that it was invited')
        .choices(['join'])
        .default('join'),
    )
    .option(
      '--ttl <duration>',
      'how long the join string lives, 30s to 24h (default: pairing.defaultTtl of palyrad)',
      (text) => parseDuration(text, '--ttl'),
    )
    .option('--purpose <text>', 'what the machine is for; shown with its request')
    .option('--label <name=value>', 'a label for the machine; may be repeated', addLabel, {})
    .option('--wait', 'wait for the request and decide on it here')
    .addHelpText(
      'after',
      examples(
        ['palyra pair', 'a join string for ten minutes'],
        [
          "palyra pair --ttl 1h --purpose 'build server' --label team=infra --wait",
          'and wait for the machine',
        ],
        ['palyra pair --json', '{"id": …, "joinString": …, "expiresAt": …}'],
      ),
    );
  withConnection(command).action((flags: PairFlags) => pair(flags, context));
}

function addLabel(text: string, labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at > 0) return Object.fromEntries([...Object.entries(labels), [text.slice(0, at), text.slice(at + 1)]]);
  throw cliError('usage', `--label: '${text}' is not a label`, {
    hint: 'Write a name and a value: --label team=infra',
    fields: [{ field: '--label', message: 'is not name=value' }],
  });
}

async function pair(flags: PairFlags, context: CliContext): Promise<void> {
  const { json = false, wait = false, ttl, purpose, label } = flags;
  const client = await connect(flags, context);
  const code = await client.mintPairingCode({
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(Object.keys(label).length === 0 ? {} : { labels: label }),
  });
  if (!json) print(context, ...codeText(context, code));
  else if (wait) printEvent(context, { event: 'minted', ...code });
  else printJson(context, code);
  if (!wait) return;
  if (!json) print(context, 'Waiting for the machine. Ctrl-C stops waiting; the join string goes on.', '');
  const pairing = await awaitRequest(client, context, code);
  if (json) printEvent(context, { event: 'request', ...{ pairing } });
  else if (context.interactive) await decidePairing(client, context, pairing, 'approve', {});
  else print(context, ...pairingText(context, pairing), `Decide with: palyra pairings approve ${pairing.id}`);
}

function codeText(context: CliContext, code: MintedPairingCode): readonly string[] {
  const { bold, dim, yellow } = colours(context.stdout, context.env);
  const now = context.clock.now();
  const ends = `${relativeTime(code.expiresAt, now)} (${new Date(code.expiresAt).toLocaleTimeString()})`;
  const warning = [
    yellow('Only loopback addresses are advertised, so no other machine can use this join string.'),
    'To let others in, say in palyra.yaml where they reach this one, and start palyrad again:',
    '',
    ...['enrollment', 'node'].flatMap((name) => {
      const port = name === 'node' ? 7444 : 7443;
      return [
        `    ${name}:`,
        `      bind: 0.0.0.0:${port}`,
        `      advertise: ['this-machine.example.org:${port}']`,
      ];
    }),
    '',
  ];
  warning.splice(3, 0, '  listen:');
  return [
    'Run this on the machine that is to join:',
    '',
    `  ${bold(`palyra node run '${printable(code.joinString)}'`)}`,
    '',
    `It works for one machine and ends ${ends}.`,
    `Then decide on its request: ${dim('palyra pairings list')}`,
    '',
    ...(code.loopbackOnly ? warning : []),
  ];
}

/** The request of the machine that used the code. */
async function awaitRequest(
  client: ControlPlaneClient,
  context: CliContext,
  code: MintedPairingCode,
): Promise<Pairing> {
  for (;;) {
    const { pairings } = await client.listPairings({ state: ['pending_approval'] });
    const request = pairings.find((pairing) => pairing.codeId === code.id);
    if (request !== undefined) return request;
    if (context.clock.now() >= Date.parse(code.expiresAt)) {
      throw cliError('code_expired', 'No machine has used the join string in time', {
        hint: 'Make a new one with: palyra pair',
      });
    }
    await pause(context, pollMs);
  }
}
