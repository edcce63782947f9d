import { parseJoinString } from '../actors/identity/join-string.js';
import { parseNetworkAddress } from '../actors/identity/network-address.js';
import { parsePinCode } from '../actors/identity/pin-code.js';
import { AppError } from '../kernel/errors.js';
import type { Invitation } from '../node/node-host.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';

/** Where palyrad enrols machines when nobody says otherwise. */
const defaultAddress = '127.0.0.1:7443';
const variable = 'PALYRA_PIN';

/** An invitation, and whether the standard input was read for it. */
export interface Invited {
  readonly invitation: Invitation;
  readonly readStdin: boolean;
}

/**
 * What a machine was invited with, from the arguments of `palyra node run`: a join string, which `-` reads from the standard
 * input, or a PIN. A PIN is never an argument: it comes from a person at a terminal, from `PALYRA_PIN`, or as the first line of
 * the standard input.
 *
 * @param join the argument; `pin` the value of `--pin`: an address, or true for the default one.
 * @returns undefined without an invitation.
 * @throws AppError `cli.usage`, `cli.interrupted`, `identity.invalid_join_string`, `identity.invalid_pin`.
 */
export async function readInvitation(
  { join, pin }: { readonly join: string | undefined; readonly pin: string | true | undefined },
  context: CliContext,
): Promise<Invited | undefined> {
  if (pin === undefined) {
    if (join === undefined) return undefined;
    const readStdin = join === '-';
    const text = readStdin ? await firstLine(context) : join;
    return { invitation: { method: 'join', join: parseJoinString(text) }, readStdin };
  }
  if (join !== undefined) {
    throw cliError('usage', 'A machine joins with a join string or with --pin, not with both', {
      hint: 'A PIN is typed when it is asked for; it is no argument.',
    });
  }
  const address = pin === true ? defaultAddress : pin;
  if (!parseNetworkAddress(address)) {
    throw cliError('usage', `--pin: '${address}' is no address of a daemon`, {
      hint: `Write where its enrolment port is: --pin HOST:7443. Without a value it is ${defaultAddress}.`,
      fields: [{ field: '--pin', message: 'is not host:port' }],
    });
  }
  const { text, readStdin } = await readPin(context, address);
  return { invitation: { method: 'pin', address, code: parsePinCode(text) }, readStdin };
}

async function readPin(
  context: CliContext,
  address: string,
): Promise<{ readonly text: string; readonly readStdin: boolean }> {
  const given = context.env[variable];
  // No plugin and no other child inherits it.
  delete context.env[variable];
  if (given !== undefined && given !== '') return { text: given, readStdin: false };
  if (!context.interactive) return { text: await firstLine(context), readStdin: true };
  const typed = await context.ask(`The PIN for ${address}`, {
    placeholder: '47-193082',
    problem: pinProblem,
  });
  if (typed !== undefined) return { text: typed, readStdin: false };
  throw cliError('interrupted', 'No PIN was typed', { hint: 'Nothing was sent.' });
}

/** What is wrong with how a PIN is written: said at the prompt, so that a slip of the fingers costs no attempt. */
function pinProblem(text: string): string | undefined {
  try {
    parsePinCode(text);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown.message;
    throw thrown;
  }
}

async function firstLine({ stdin }: CliContext): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0]?.trim() ?? '';
}
