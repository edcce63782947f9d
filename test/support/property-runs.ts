/**
 * How many random runs a property test has: `usual` as part of `npm test`, or as many as `PALYRA_PROPERTY_RUNS` says, which
 * `npm run test:long` sets to 10,000.
 */
export function propertyRuns(usual: number): number {
  const { PALYRA_PROPERTY_RUNS: asked } = process.env;
  if (asked === undefined) return usual;
  const runs = Number(asked);
  if (Number.isInteger(runs) && runs > 0) return runs;
  throw new Error(`PALYRA_PROPERTY_RUNS is '${asked}', not a whole number from 1 up`);
}
