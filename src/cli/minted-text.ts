import type { MintedJoinCode, MintedPairingCode, MintedPin } from '../contract/pairing-code.js';
import type { CliContext } from './context.js';
import { largeDigits } from './large-digits.js';
import { colours } from './output.js';
import { printable } from './printable.js';
import { terminalQr } from './terminal-qr.js';
import { relativeTime } from './time-text.js';

/** A new code, with what to do with it on the machine that is to join. */
export async function mintedText(
  context: CliContext,
  code: MintedPairingCode,
  wantsQr: boolean,
): Promise<readonly string[]> {
  const now = context.clock.now();
  const ends = `${relativeTime(code.expiresAt, now)} (${new Date(code.expiresAt).toLocaleTimeString()})`;
  return [
    ...(code.method === 'pin' ? pinText(context, code) : await joinText(context, code, wantsQr)),
    '',
    `It works for one machine and ends ${ends}.`,
    '',
    ...(code.loopbackOnly ? loopbackWarning(context) : []),
  ];
}

async function joinText(
  context: CliContext,
  code: MintedJoinCode,
  wantsQr: boolean,
): Promise<readonly string[]> {
  const { bold } = colours(context.stdout, context.env);
  const qr = wantsQr ? await terminalQr(context, code.joinString) : undefined;
  return [
    ...(qr === undefined ? [] : [...qr, '']),
    'Run this on the machine that is to join:',
    '',
    `  ${bold(`palyra node run '${printable(code.joinString)}'`)}`,
  ];
}

function pinText(context: CliContext, code: MintedPin): readonly string[] {
  const { bold, cyan } = colours(context.stdout, context.env);
  const [address = ''] = code.enrollmentAddresses;
  const pin = printable(code.pin);
  const large =
    context.stdout.isTTY === true ? [...largeDigits(pin).map((line) => `  ${cyan(line)}`), ''] : [];
  return [
    ...large,
    `PIN  ${bold(pin)}`,
    '',
    'Run this on the machine that is to join, and type the PIN when it asks:',
    '',
    `  ${bold(`palyra node run --pin ${printable(address)}`)}`,
  ];
}

function loopbackWarning(context: CliContext): readonly string[] {
  const { yellow } = colours(context.stdout, context.env);
  return [
    yellow('Only loopback addresses are advertised, so no other machine can use this code.'),
    'To let others in, say in palyra.yaml where they reach this one, and start palyrad again:',
    '',
    '  listen:',
    ...(['enrollment', 'node'] as const).flatMap((name) => {
      const port = name === 'node' ? 7444 : 7443;
      return [
        `    ${name}:`,
        `      bind: 0.0.0.0:${port}`,
        `      advertise: ['this-machine.example.org:${port}']`,
      ];
    }),
    '',
  ];
}
