import { parseArgs } from 'node:util';
import { benchmarks, type Effort, efforts } from './benchmarks.js';
import { pluginBenchmarks } from './plugin/plugin-benchmarks.js';

const known: readonly string[] = [...benchmarks, ...pluginBenchmarks].map(({ name }) => name);

export interface BenchArguments {
  /** The benchmarks to run, in the order of their definition. */
  readonly names: readonly string[];
  readonly effort: Effort;
  readonly json?: string;
  readonly profile?: string;
}

export const usage = `Usage: npm run bench [-- name…] [--json FILE] [--quick] [--profile DIR]

  name           ${known.join(', ')}; default: all
                 or kernel, alone: what the kernel costs by itself
                 or fanout, alone: 200 real node hosts at once
  --json FILE    also write the figures as JSON
  --quick        fewer and shorter rounds: a rough look
  --sanity       a few hundred dispatches to see that it works; the figures mean nothing
  --profile DIR  also write a CPU profile of each process of ours`;

/** Reads the command line. @throws Error that says what is wrong with it. */
export function parseBenchArguments(argv: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      profile: { type: 'string' },
      quick: { type: 'boolean', default: false },
      sanity: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}`);
  const { json, profile, quick, sanity } = values;
  return {
    names: positionals.length === 0 ? known : known.filter((name) => positionals.includes(name)),
    effort: sanity ? efforts.sanity : quick ? efforts.quick : efforts.full,
    ...(json === undefined ? {} : { json }),
    ...(profile === undefined ? {} : { profile }),
  };
}
