import { parseArgs } from 'node:util';
import { runChaos } from './run.js';

const usage = `npm run chaos -- [--seed N] [--requests 20000] [--kills 60] [--clients 24] [--minutes 20]
`;

/** The long form. Returns the exit code: 0 when no rule was broken, 1 when one was or it came to no end, 130 after Ctrl-C. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      requests: { type: 'string', default: '20000' },
      kills: { type: 'string', default: '60' },
      clients: { type: 'string', default: '24' },
      minutes: { type: 'string', default: '20' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(signal));
  const seed = Number(values.seed);
  process.stdout.write(`seed       ${seed}\n`);
  try {
    const { tally, violations, explanations } = await runChaos({
      seed,
      requests: Number(values.requests),
      kills: Number(values.kills),
      clients: Number(values.clients),
      limitMs: Number(values.minutes) * 60_000,
      quietMs: 1_500,
      signal: interrupt.signal,
      progress: (text) => process.stderr.write(`${text}\n`),
    });
    process.stdout.write(tally);
    for (const { rule, id, message } of violations)
      process.stdout.write(`BROKEN     ${rule}: ${id}: ${message}\n`);
    for (const explanation of explanations) process.stdout.write(`\n${explanation}`);
    process.stdout.write(
      `\nseed ${seed}: ${violations.length === 0 ? 'every rule holds' : `${violations.length} broken rules`}\n`,
    );
    return violations.length === 0 ? 0 : 1;
  } catch (thrown) {
    if (interrupt.signal.aborted) return 130;
    process.stderr.write(`seed ${seed}: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    return 1;
  }
}
