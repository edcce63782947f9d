import type { Command } from 'commander';
import { parseDuration } from '../../kernel/duration.js';
import { awaitRequest } from '../await-request.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { decidePairing } from '../decide-pairing.js';
import { examples } from '../help-text.js';
import { addLabel } from '../labels.js';
import { mintedText } from '../minted-text.js';
import { print, printEvent, printJson } from '../output.js';
import { pairingText } from '../pairing-text.js';
import { registerCodeCommands } from './pair-codes.js';

interface PairFlags extends ConnectionFlags {
  readonly pin?: boolean;
  readonly ttl?: number;
  readonly purpose?: string;
  readonly label: Readonly<Record<string, string>>;
  readonly wait?: boolean;
  readonly qr: boolean;
}

/** `palyra pair`, and `palyra pair list | cancel | unlock` */
export function registerPairCommand(program: Command, context: CliContext): void {
  const command = program
    .command('pair')
    .summary('let one more machine ask to join')
    .enablePositionalOptions()
    .description(
      'Make a code, with which one machine may ask to join, and decide on its request: a join string that is pasted, or a PIN that is typed. On a terminal it waits for the request.',
    )
    .option('--pin', 'make a PIN, for a machine at which somebody can only type')
    .option(
      '--ttl <duration>',
      'how long the code lives: from 30s to 24h, a PIN to 15m (default: pairing.defaultTtl of palyrad)',
      (text) => parseDuration(text, '--ttl'),
    )
    .option('--purpose <text>', 'what the machine is for; shown with its request')
    .option('--label <name=value>', 'a label for the machine; may be repeated', addLabel, {})
    .option('--wait', 'wait for the request and decide on it here; on a terminal it does so by itself')
    .option('--no-wait', 'only print the code')
    .option('--no-qr', 'leave out the QR code of a join string')
    .addHelpText(
      'after',
      examples(
        ['palyra pair', 'a join string for ten minutes, as text and as a QR code'],
        ['palyra pair --pin', 'a PIN for ten minutes; the machine runs: palyra node run --pin HOST:7443'],
        [
          "palyra pair --ttl 1h --purpose 'build server' --label team=infra --no-wait",
          'only print it; decide later with palyra pairings approve',
        ],
        ['palyra pair list', 'the codes that live, and from where wrong proofs came'],
        ['palyra pair --json', '{"method": "join", "id": …, "joinString": …, "expiresAt": …}'],
      ),
    );
  withConnection(command).action((flags: PairFlags) => pair(flags, context));
  registerCodeCommands(command, context);
}

async function pair(flags: PairFlags, context: CliContext): Promise<void> {
  const { json = false, ttl, purpose, label } = flags;
  const wait = flags.wait ?? (context.interactive && !json);
  const client = await connect(flags, context);
  const code = await client.mintPairingCode({
    method: flags.pin ? 'pin' : 'join',
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(Object.keys(label).length === 0 ? {} : { labels: label }),
  });
  if (!json) print(context, ...(await mintedText(context, code, flags.qr)));
  else if (wait) printEvent(context, { event: 'minted', ...code });
  else printJson(context, code);
  if (!wait) {
    if (!json) print(context, 'Then decide on its request: palyra pairings approve DEVICE');
    return;
  }
  const pairing = await awaitRequest(client, context, code);
  if (json) printEvent(context, { event: 'request', ...{ pairing } });
  else if (context.interactive) await decidePairing(client, context, pairing, 'approve', {});
  else print(context, ...pairingText(context, pairing), `Decide with: palyra pairings approve ${pairing.id}`);
}
