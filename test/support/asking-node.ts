import { createActor } from 'xstate';
import { crowds, executionAddress, mediationAddress } from '../../src/actors/addresses.js';
import { Executions } from '../../src/actors/execution/executions.js';
import { ExecutionJournal } from '../../src/actors/execution/journal.js';
import { executionMachine } from '../../src/actors/execution/machine.js';
import type { DispatchOrder, NodeResult } from '../../src/actors/link/frames.js';
import { RememberedAnswers } from '../../src/actors/mediation/answers.js';
import { mediationMachine } from '../../src/actors/mediation/machine.js';
import { type Decision, Mediations } from '../../src/actors/mediation/mediations.js';
import type { Permission } from '../../src/actors/mediation/permission.js';
import type { MediationAnswer, MediationRequest } from '../../src/actors/mediation/question.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { compile } from '../../src/kernel/compile.js';
import { crowd } from '../../src/kernel/crowd.js';
import { createKernel } from '../../src/kernel/kernel.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { supervisor } from '../../src/kernel/supervisor.js';
import { sampleOrder, sampleSubject, silent } from '../model/samples.js';

/** A question on the screen. */
export interface Shown {
  readonly request: MediationRequest;
  readonly signal: AbortSignal;
  answer(answer: MediationAnswer): void;
}

/** How long a yes may be remembered here, milliseconds. */
export const mostMs = 3_600_000;

/** The executions and the questions of a node, real ones, with a person and a handler that a test plays. */
export class AskingNode {
  readonly clock = new SimulatedClock();
  readonly shown: Shown[] = [];
  readonly ran: { readonly order: DispatchOrder; readonly permission: Permission | undefined }[] = [];
  readonly results: NodeResult[] = [];
  readonly decisions: Decision['kind'][] = [];
  /** The build of the plugin that would run. */
  build = 'b1';
  readonly #store = new MemoryStore();
  readonly #atOnce: number;
  #executions: Executions | undefined;
  #answers: RememberedAnswers | undefined;
  #mediations: Mediations | undefined;
  #stop: () => void = () => undefined;

  /** @param atOnce how many questions the screen has room for */
  constructor(atOnce = 1) {
    this.#atOnce = atOnce;
  }

  get answers(): RememberedAnswers {
    if (this.#answers === undefined) throw new Error('The node is not started');
    return this.#answers;
  }

  /** Starts the host, or starts it again after it died: what it had taken on and not begun is gone. */
  async start(): Promise<void> {
    this.#stop();
    const kernel = createKernel({ clock: this.clock, log: silent });
    this.shown.length = 0;
    const answers = new RememberedAnswers(this.#store, this.clock);
    this.#answers = answers;
    const mediator = {
      atOnce: this.#atOnce,
      ask: (request: MediationRequest, signal: AbortSignal, answer: Shown['answer']) => {
        this.shown.push({ request, signal, answer });
      },
      close: () => undefined,
    };
    const decided = (_subject: unknown, { kind }: Decision) => this.decisions.push(kind);
    const mediations = new Mediations({ ...kernel, answers, mediator, decided }, () =>
      this.clock.monotonic(),
    );
    this.#mediations = mediations;
    const executions = await Executions.open({
      ...kernel,
      journal: new ExecutionJournal(this.#store),
      host: {
        refusal: () => undefined,
        needsMediation: () => true,
        mediate: (order, limitMs, signal, asker) =>
          mediations.ask(this.#subjectOf(order), limitMs, signal, asker),
        run: async (order, _signal, _deadline, permission) => {
          this.ran.push({ order, permission });
          return Buffer.from('{}');
        },
      },
      ran: (_order, result) => this.results.push(result),
      failed: (error) => {
        throw error;
      },
    });
    this.#executions = executions;
    const common = { kernel, shutdownMs: 100 };
    const asking = crowd({
      ...common,
      name: 'mediations',
      logic: compile(mediationMachine),
      address: mediationAddress,
      abandon: (id, error) => mediations.abandon(id, error),
    });
    const executing = crowd({
      ...common,
      name: 'executions',
      logic: compile(executionMachine),
      address: executionAddress,
    });
    const child = { restart: 'permanent', shutdown: 100 } as const;
    const children = [
      { ...child, id: 'mediations', address: crowds.mediations, logic: asking },
      { ...child, id: 'executions', address: crowds.executions, logic: executing },
    ];
    const root = createActor(supervisor({ kernel, strategy: 'one_for_one', children }));
    root.start();
    this.#stop = () => root.stop();
  }

  /** An order comes, for a page of a site. */
  async order(dispatchId: string, site: string, changes: Partial<DispatchOrder> = {}): Promise<void> {
    const input = Buffer.from(JSON.stringify(site));
    const about = {
      dispatchId,
      input,
      mediationTimeoutMs: 120_000,
      latestEndMs: this.clock.now() + 86_400_000,
    };
    this.#executions?.receive(sampleOrder({ ...about, ...changes }), 0);
    await this.settle();
  }

  async cancel(dispatchId: string): Promise<void> {
    this.#executions?.cancel({ dispatchId, reason: 'enough' });
    await this.settle();
  }

  /** Answers what is on the screen, the oldest first. */
  async say(answer: MediationAnswer): Promise<void> {
    this.open()[0]?.answer(answer);
    await this.settle();
  }

  /** The questions that are on the screen now. */
  open(): readonly Shown[] {
    return this.shown.filter(({ signal }) => !signal.aborted);
  }

  /** The actor of a question crashes. */
  async breakDown(dispatchId: string): Promise<void> {
    this.#mediations?.abandon(dispatchId, new Error('a defect'));
    await this.settle();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  stop(): void {
    this.#stop();
  }

  #subjectOf({ dispatchId, caller, descriptorDigest, input }: DispatchOrder) {
    const value = String(JSON.parse(Buffer.from(input).toString('utf8')));
    const remember = { by: 'origin', value, mostMs } as const;
    return sampleSubject({ dispatchId, caller, descriptorDigest, build: this.build, remember });
  }
}
