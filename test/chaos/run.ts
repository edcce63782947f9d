import { setMaxListeners } from 'node:events';
import { Chance } from './chance.js';
import { check, type Violation } from './checker.js';
import { readCounts } from './counting-plugins.js';
import { delay } from './delay.js';
import { allDispatches, fileOfDaemon, journalOfNode, liveDispatches } from './evidence.js';
import { Faults } from './faults.js';
import type { History } from './history.js';
import { Load } from './load.js';
import { Machines } from './machines.js';
import { Pace } from './pace.js';
import { tally } from './tally.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly requests: number;
  readonly kills: number;
  readonly clients: number;
  /** How long it is left alone between two faults at most, milliseconds. */
  readonly quietMs: number;
  /** After which a run is a failure, milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal;
  /** Is told how far it has come, now and then. */
  readonly progress?: (text: string) => void;
}

export interface ChaosReport {
  readonly history: History;
  readonly kills: number;
  /** Faults of the line. */
  readonly cuts: number;
  /** The rules that were broken, and how `palyra explain` explains the first of the dispatches that broke them. */
  readonly violations: readonly Violation[];
  readonly explanations: readonly string[];
  readonly tally: string;
}

const explainedAtMost = 10;
/** How long both sides may take to settle when nothing fails any more, milliseconds. */
const settleMs = 90_000;

/**
 * Real processes under load, killed and cut off at random, then left alone until nothing is in flight, then judged. Everything that
 * it started has ended when it settles.
 *
 * @throws Error when a program ended by itself, or the limit was reached; the reason of `signal`.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const machines = await Machines.start();
  try {
    return await runOn(machines, options);
  } finally {
    await machines.close();
  }
}

async function runOn(machines: Machines, options: ChaosOptions): Promise<ChaosReport> {
  const started = performance.now();
  const { seed, clients, limitMs } = options;
  const failed = new AbortController();
  const ends = [options.signal, failed.signal, AbortSignal.timeout(limitMs)];
  const signal = AbortSignal.any(ends.filter((end) => end !== undefined));
  // Each request under way listens to it.
  setMaxListeners(0, signal);
  const killed = (): number => machines.kills.daemon + machines.kills.node;
  const pace = new Pace({ ...options, killed, signal });
  const faults = new Faults({ ...options, chance: new Chance(seed), machines, turn: () => pace.fault() });
  const load = new Load({
    chance: new Chance(seed + 1),
    clients,
    client: () => machines.client(),
    turn: () => pace.request(),
    signal,
  });
  const report = setInterval(
    () => options.progress?.(`${pace.begun} requests, ${killed()} kills, ${load.retries} retries`),
    15_000,
  );
  try {
    const fail = (thrown: unknown): void => failed.abort(thrown);
    await Promise.all([faults.run().catch(fail), load.run().catch(fail)]);
    signal.throwIfAborted();
  } finally {
    clearInterval(report);
  }
  options.progress?.('No more faults: waiting until nothing is in flight');
  const atNode = await settled(machines, signal);
  const history: History = {
    requests: load.requests,
    counts: readCounts(machines.countsFile),
    dispatches: await allDispatches(machines.client()),
    ...fileOfDaemon(machines.directory),
    atNode,
  };
  const violations = check(history);
  const explanations: string[] = [];
  const broken = new Set(violations.map(({ id }) => id).filter((id) => id.startsWith('dp_')));
  for (const id of [...broken].slice(0, explainedAtMost)) {
    explanations.push(await machines.palyra('explain', id));
  }
  await machines.stop();
  const seconds = (performance.now() - started) / 1_000;
  const troubles = {
    kills: machines.kills,
    restarts: machines.restarts,
    faults: Object.fromEntries(faults.count),
    slowDisks: faults.slowDisks,
    retries: load.retries,
    seconds,
  };
  return {
    history,
    kills: killed(),
    cuts: faults.cuts,
    violations,
    explanations,
    tally: tally(history, troubles),
  };
}

/** Waits until neither side has anything in flight. Returns what the node has left when it takes too long. */
async function settled(machines: Machines, signal: AbortSignal): Promise<History['atNode']> {
  const limit = performance.now() + settleMs;
  await machines.connected();
  const api = machines.client();
  for (;;) {
    signal.throwIfAborted();
    const live = await liveDispatches(api);
    const inMemory = (await machines.inFlightAtNode()).map(({ dispatchId, phase }) => ({
      dispatchId,
      where: `its memory, as ${phase}`,
    }));
    const atNode = [...inMemory, ...journalOfNode(machines.directory)];
    if ((live.length === 0 && atNode.length === 0) || performance.now() > limit) return atNode;
    await delay(200);
  }
}
