import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import type { KernelLog } from '../../kernel/log.js';
import { ConcurrencyGate } from '../../plugins/concurrency-gate.js';
import { sendToMediation, startMember } from '../addresses.js';
import type { RememberedAnswers } from './answers.js';
import type { MediationPorts } from './machine.js';
import type { Verdict } from './permission.js';
import type { Mediator, Subject } from './question.js';

/** Questions that may stand in line. The window of the session bounds them too. */
const mostInLine = 1_024;

/** What became of a question, for whoever keeps the node's account. */
export type Decision = Verdict | { readonly kind: 'withdrawn' };

export interface MediationsOptions {
  readonly directory: Directory;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
  readonly answers: RememberedAnswers;
  readonly mediator: Mediator;
  decided(subject: Subject, decision: Decision): void;
}

/** Who wants to know what comes of a question. */
export interface Asker {
  /** No answer is remembered: it waits for a person from now on. */
  waits(): void;
  /** Called once, unless the question is taken back. */
  decided(verdict: Verdict): void;
}

/** A question that is open, and where it stands in the line of those that are to be shown. */
interface Open {
  readonly subject: Subject;
  readonly asker: Asker;
  readonly over: AbortController;
  readonly endsAt: number;
  hasTurn: boolean;
  isOver: boolean;
}

/** The questions to the person at the node: each is an actor, and this is what they share: the line, the screen, the answers. */
export class Mediations {
  readonly #options: MediationsOptions;
  readonly #line: ConcurrencyGate;
  readonly #open = new Map<string, Open>();
  readonly #now: () => number;

  /** @param now monotonic, milliseconds */
  constructor(options: MediationsOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
    this.#line = new ConcurrencyGate('questions to the person', options.mediator.atOnce, mostInLine);
  }

  /**
   * Asks whether a call may run.
   *
   * @param limitMs how long there is to answer
   * @param signal takes the question back
   */
  ask(subject: Subject, limitMs: number, signal: AbortSignal, asker: Asker): void {
    const { dispatchId } = subject;
    const { directory } = this.#options;
    const endsAt = this.#now() + limitMs;
    const open: Open = {
      subject,
      asker,
      over: new AbortController(),
      endsAt,
      hasTurn: false,
      isOver: false,
    };
    this.#open.set(dispatchId, open);
    const input = { ports: this.#portsOf(open), subject, limitMs };
    if (!startMember(directory, 'mediations', dispatchId, input)) {
      this.#end(open);
      asker.decided({ kind: 'nobody', reason: 'the node asks nothing at the moment' });
      return;
    }
    signal.addEventListener('abort', () => sendToMediation(directory, dispatchId, { type: 'withdraw' }), {
      once: true,
    });
  }

  /** The actor of a question crashed: nobody has allowed anything. */
  abandon(dispatchId: string, error: unknown): void {
    const open = this.#open.get(dispatchId);
    if (!open) return;
    this.#options.log.error(
      { err: error, dispatch: dispatchId },
      'A question to the person at the node broke down',
    );
    open.over.abort();
    this.#leaveLine(open);
    this.#decided(open, { kind: 'nobody', reason: 'the question broke down' });
  }

  #portsOf(open: Open): MediationPorts {
    const { deadlines, answers, mediator, log } = this.#options;
    const { subject, asker, over, endsAt } = open;
    /** What comes when the question has ended is for nobody. */
    const whileOpen =
      <A>(tell: (argument: A) => void) =>
      (argument: A): void => {
        if (this.#open.get(subject.dispatchId) === open) tell(argument);
      };
    const noAnswer = (what: string) => (err: unknown) => {
      log.warn({ err, dispatch: subject.dispatchId }, what);
      return undefined;
    };
    return {
      deadlines,
      recall: (done) => {
        const failed = noAnswer('Remembered answers could not be read, so the person is asked');
        answers
          .find(subject)
          .then((found) => found?.expiresAt, failed)
          .then(whileOpen(done));
      },
      standInLine: (turn, refused) => this.#standInLine(open, turn, refused),
      leaveLine: () => this.#leaveLine(open),
      waits: () => asker.waits(),
      show: (answer) => {
        const { descriptorDigest: _digest, ...shown } = subject;
        mediator.ask(
          { ...shown, timeoutMs: Math.max(0, Math.round(endsAt - this.#now())) },
          over.signal,
          whileOpen(answer),
        );
      },
      takeBack: () => over.abort(),
      keep: (forMs, done) => {
        const failed = noAnswer('A yes could not be written down, so it counts for this call only');
        answers
          .keep(subject, forMs)
          .then((kept) => kept?.expiresAt, failed)
          .then(whileOpen(done));
      },
      decided: (verdict) => this.#decided(open, verdict),
      withdrawn: () => {
        this.#end(open);
        this.#options.decided(subject, { kind: 'withdrawn' });
      },
    };
  }

  #standInLine(open: Open, turn: () => void, refused: (reason: string) => void): void {
    let place: Promise<void> | undefined;
    try {
      place = this.#line.enter(open.over.signal);
    } catch {
      refused('too many questions wait for an answer at this node');
      return;
    }
    const enter = (): void => {
      // It may have been taken back in the moment in which its turn came.
      open.hasTurn = !open.isOver;
      if (open.hasTurn) turn();
      else this.#line.leave();
    };
    if (place === undefined) enter();
    else place.then(enter, () => undefined);
  }

  #leaveLine(open: Open): void {
    open.isOver = true;
    open.over.abort();
    if (!open.hasTurn) return;
    open.hasTurn = false;
    this.#line.leave();
  }

  #decided(open: Open, verdict: Verdict): void {
    this.#end(open);
    this.#options.decided(open.subject, verdict);
    open.asker.decided(verdict);
  }

  #end({ subject }: Open): void {
    this.#open.delete(subject.dispatchId);
  }
}
