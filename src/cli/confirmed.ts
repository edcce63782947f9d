import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { print } from './output.js';

export interface ConfirmationFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Refuses to go on when somebody has to say yes and nobody can be asked.
 *
 * @param what what is to be confirmed, after "whether to"
 * @throws AppError `cli.confirmation_needed`
 */
export function requireSomebody(context: CliContext, what: string, { yes, json }: ConfirmationFlags): void {
  if (yes || (!json && context.interactive)) return;
  throw cliError('confirmation_needed', `Nobody can be asked whether to ${what}`, {
    hint: 'Check that it is the one that you mean, then add --yes.',
  });
}

/** Whether the person says yes, or has said so already. */
export async function confirmed(
  context: CliContext,
  question: string,
  { yes }: ConfirmationFlags,
): Promise<boolean> {
  if (yes || (await context.confirm(question))) return true;
  print(context, 'Nothing was changed.');
  return false;
}
