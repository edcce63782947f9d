import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Pairing } from '../contract/pairing.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { colours, print, printJson } from './output.js';
import { pairingText } from './pairing-text.js';
import { printable } from './printable.js';

export interface DecisionFlags {
  readonly reason?: string;
  readonly name?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const verbs = {
  approve: { done: 'Approved', question: 'Let this machine join?', returning: 'Let this machine come back?' },
  reject: { done: 'Rejected', question: 'Refuse this machine?', returning: 'Refuse this machine?' },
} as const;

/**
 * Shows a request, asks the person unless they said yes already, and decides it. The decision names the transcript that was
 * shown, so it can't fall on another proof that came in between (protocol.md 10).
 *
 * @throws AppError `cli.confirmation_needed` when there is nobody to ask, and the errors of the daemon
 */
export async function decidePairing(
  client: ControlPlaneClient,
  context: CliContext,
  pairing: Pairing,
  verb: 'approve' | 'reject',
  { reason, name, yes = false, json = false }: DecisionFlags,
): Promise<void> {
  const { done, ...texts } = verbs[verb];
  const question = pairing.method === 'return' ? texts.returning : texts.question;
  if (!yes && (json || !context.interactive)) {
    throw cliError('confirmation_needed', `Nobody can be asked whether to ${verb} ${pairing.id}`, {
      hint: 'Compare the fingerprint words, then add --yes.',
    });
  }
  if (!json) print(context, ...pairingText(context, pairing));
  if (!yes && !(await context.confirm(question))) {
    print(context, 'Nothing was changed.');
    return;
  }
  const decision = { transcript: pairing.transcript, ...(reason === undefined ? {} : { reason }) };
  const decided =
    verb === 'approve'
      ? await client.approvePairing(pairing.id, { ...decision, ...(name === undefined ? {} : { name }) })
      : await client.rejectPairing(pairing.id, decision);
  if (json) {
    printJson(context, decided);
    return;
  }
  const { green } = colours(context.stdout, context.env);
  const as = verb === 'approve' && decided.decision ? ` as ${printable(decided.decision.name)}` : '';
  print(context, `${green('✓')} ${done}${as}.`);
}
