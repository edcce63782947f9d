import type { Mediator } from '../actors/mediation/question.js';
import type { NodeReport, Reporter } from '../node/reporter.js';
import { askPermission } from './ask-permission.js';
import type { CliContext } from './context.js';
import { narrator } from './node-narrator.js';
import { colours, print, printEvent } from './output.js';
import { printable } from './printable.js';

/** Calls the listener for the first order to end, in place of ending the program, until the returned function is called. */
export function onSignals(listener: (signal: string) => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** Tells what a node host reports: to a person, or as lines of JSON. */
export function reporterFor({ json }: { readonly json?: boolean }, context: CliContext): Reporter {
  if (json) return (report) => printEvent(context, report);
  const colors = colours(context.stdout, context.env);
  const narrate = narrator(colors, printable);
  return (report: NodeReport) => print(context, narrate(report));
}

/** Who is asked before a capability runs that wants a person's word: a program, the person at the terminal, or nobody. */
export async function mediatorFor(
  flags: { readonly json?: boolean },
  context: CliContext,
  report: Reporter,
  stdinIsUsed: boolean,
): Promise<Mediator> {
  const { absentMediator, promptMediator, streamMediator } = await import('../node/mediation.js');
  if (stdinIsUsed) return absentMediator;
  if (flags.json) {
    return streamMediator(context.stdin, {
      asked: (request) => report({ event: 'mediation', ...request }),
      takenBack: (dispatchId) => report({ event: 'mediation_withdrawn', dispatchId }),
      refused: (message) => report({ event: 'answer_refused', message }),
    });
  }
  if (!context.interactive) return absentMediator;
  return promptMediator((request, signal) => askPermission(context, request, signal));
}
