import { availableParallelism, cpus } from 'node:os';
import Table from 'cli-table3';
import type { Bar, Benchmark, Effort } from './benchmarks.js';
import { type Summary, summarize } from './statistics.js';

/** The rounds of one benchmark: what floor and ours gave, in turns. */
export interface Rounds {
  readonly benchmark: Pick<Benchmark, 'name' | 'unit' | 'bar' | 'ours' | 'theFloor'>;
  readonly floor: readonly number[];
  readonly ours: readonly number[];
}

/** One benchmark's result under its stable name. `value` and `floor` are medians over the rounds, in `unit`. */
export interface Figure {
  readonly value: number;
  readonly floor: number;
  /** `value / floor`. */
  readonly ratio: number;
  /** What is held against the bar: `value / floor`, `value - floor` or `value`. */
  readonly barOf: 'ratio' | 'difference' | 'value';
  readonly bar: number;
  readonly ok: boolean;
  readonly unit: string;
  readonly barIs: 'at most' | 'at least';
  /** The smallest and largest of the rounds. */
  readonly spread: {
    readonly value: readonly number[];
    readonly floor: readonly number[];
    readonly ratio: readonly number[];
  };
  readonly ours: string;
  readonly theFloor: string;
}

export interface Report {
  /** `full`, `quick` or `sanity`: only `full` is to be quoted. */
  readonly effort: string;
  /** Whether CPU profiles were taken: of ours alone, so that the ratios look worse than they are. */
  readonly profiled: boolean;
  /** The machine's load average of the last minute when the run began: near 0, or others disturbed it. */
  readonly busyBefore: number;
  readonly rounds: number;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly benchmarks: Readonly<Record<string, Figure>>;
}

function figure({ benchmark, floor, ours }: Rounds): Figure {
  const { bar, unit } = benchmark;
  const value = summarize(ours);
  const base = summarize(floor);
  // Of two rounds that ran one after the other: what the machine did meanwhile happened to both.
  const ratios = summarize(ours.map((one, round) => one / (floor[round] ?? Number.NaN)));
  const ratio = value.median / base.median;
  return {
    value: rounded(value.median),
    floor: rounded(base.median),
    ratio: rounded(ratio),
    ...heldAgainst(bar, value.median, base.median),
    unit,
    barIs: bar.is,
    spread: { value: range(value), floor: range(base), ratio: range(ratios) },
    ours: benchmark.ours,
    theFloor: benchmark.theFloor,
  };
}

function heldAgainst(bar: Bar, value: number, floor: number): Pick<Figure, 'bar' | 'barOf' | 'ok'> {
  if ('difference' in bar)
    return { barOf: 'difference', bar: bar.difference, ok: value - floor <= bar.difference };
  if ('value' in bar) return { barOf: 'value', bar: bar.value, ok: value <= bar.value };
  const ratio = value / floor;
  return {
    barOf: 'ratio',
    bar: bar.ratio,
    ok: bar.is === 'at most' ? ratio <= bar.ratio : ratio >= bar.ratio,
  };
}

/** How a run was made. */
export interface RunFacts {
  readonly effort: Effort;
  readonly profiled: boolean;
  readonly busyBefore: number;
}

/** Everything that was measured, for programs. */
export function reportOf(all: readonly Rounds[], { effort, profiled, busyBefore }: RunFacts): Report {
  return {
    effort: effort.name,
    profiled,
    busyBefore: rounded(busyBefore),
    rounds: effort.rounds,
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    benchmarks: Object.fromEntries(all.map((rounds) => [rounds.benchmark.name, figure(rounds)])),
  };
}

const barText: Readonly<Record<Figure['barOf'], (sign: string, figure: Figure) => string>> = {
  ratio: (sign, { bar }) => `${sign} ${bar.toFixed(2)}`,
  difference: (sign, { bar, unit }) => `${sign} floor + ${bar} ${unit}`,
  value: (sign, { bar, unit }) => `${sign} ${bar} ${unit}`,
};

/** The same for people. */
export function tableOf(report: Report): string {
  const table = new Table({
    head: ['benchmark', 'ours', 'floor', 'ratio', 'ratios of rounds', 'bar', 'met'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, one] of Object.entries(report.benchmarks)) {
    const spread = one.spread.ratio.map((ratio) => ratio.toFixed(2)).join(' to ');
    const sign = one.barIs === 'at most' ? '≤' : '≥';
    const text = (value: number): string => `${grouped(value)} ${one.unit}`;
    table.push([
      name,
      text(one.value),
      text(one.floor),
      one.ratio.toFixed(2),
      spread,
      barText[one.barOf](sign, one),
      one.ok ? 'yes' : 'no',
    ]);
  }
  const compared = Object.entries(report.benchmarks).map(
    ([name, { ours, theFloor }]) => `${name}\n  ours:  ${ours}\n  floor: ${theFloor}`,
  );
  const method = `${report.effort}: medians of ${report.rounds} rounds of each in turns; node ${report.node}, ${report.cores} × ${report.cpu}`;
  return [table.toString(), method, ...warningsOf(report), ...compared].join('\n');
}

function warningsOf({ effort, profiled, busyBefore }: Report): readonly string[] {
  return [
    ...(effort === 'full' ? [] : [`Do not quote these figures: the run was ${effort}.`]),
    ...(profiled ? ['Do not quote these figures: ours was profiled, the floor was not.'] : []),
    ...(busyBefore > 0.5 ? [`The machine was busy before the run (load average ${busyBefore}).`] : []),
  ];
}

function range({ min, max }: Summary): readonly number[] {
  return [rounded(min), rounded(max)];
}

/** To four digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function grouped(value: number): string {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value);
}
