import type { RememberedAnswers } from '../actors/mediation/answers.js';
import { DecisionJournal } from '../actors/mediation/decisions.js';
import { type Decision, Mediations } from '../actors/mediation/mediations.js';
import type { Mediator, Subject } from '../actors/mediation/question.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import type { NodeReport, Reporter } from './reporter.js';

export interface NodeMediationsOptions {
  readonly kernel: Kernel;
  readonly store: Store;
  readonly answers: RememberedAnswers;
  readonly mediator: Mediator;
  readonly report: Reporter;
}

/** The questions to the person at a node; what comes of each is told, and goes into the node's account and log. */
export function nodeMediations(options: NodeMediationsOptions): Mediations {
  const { kernel, store, answers, mediator, report } = options;
  const { directory, deadlines, clock, log } = kernel;
  const journal = new DecisionJournal(store);
  const decided = (subject: Subject, decision: Decision): void => {
    const told = reportOf(subject, decision);
    log.info({ ...told, build: subject.build }, 'A question to the person at this node was decided');
    report(told);
    journal.note(subject, decision, clock.now()).catch((err: unknown) => {
      log.warn({ err, dispatch: subject.dispatchId }, 'What came of a question could not be written down');
    });
  };
  return new Mediations({ directory, deadlines, log, answers, mediator, decided }, () => clock.monotonic());
}

function reportOf({ dispatchId, capability, caller, remember }: Subject, decision: Decision): NodeReport {
  const about = { event: 'decided', dispatchId, capability, caller, decision: decision.kind } as const;
  if (decision.kind === 'nobody') return { ...about, reason: decision.reason };
  if (decision.kind !== 'allowed') return about;
  const { by, until } = decision.permission;
  if (until === undefined || remember === undefined) return { ...about, by };
  return { ...about, by, remembered: { value: remember.value, until: new Date(until).toISOString() } };
}
