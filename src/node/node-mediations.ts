import type { RememberedAnswers } from '../actors/mediation/answers.js';
import { type Decision, Mediations } from '../actors/mediation/mediations.js';
import type { Mediator, Subject } from '../actors/mediation/question.js';
import type { Kernel } from '../kernel/kernel.js';
import type { NodeReport, Reporter } from './reporter.js';

export interface NodeMediationsOptions {
  readonly kernel: Kernel;
  readonly answers: RememberedAnswers;
  readonly mediator: Mediator;
  readonly report: Reporter;
}

/** The questions to the person at a node; what comes of each is told, and goes into the node's log. */
export function nodeMediations({ kernel, answers, mediator, report }: NodeMediationsOptions): Mediations {
  const { directory, deadlines, clock, log } = kernel;
  const decided = (subject: Subject, decision: Decision): void => {
    const told = reportOf(subject, decision);
    log.info({ ...told, build: subject.build }, 'A question to the person at this node was decided');
    report(told);
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
