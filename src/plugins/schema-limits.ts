/** Caps on a schema that a stranger wrote. `bytes` is its JSON text; `steps` what one value costs, references followed. */
export const schemaLimits = {
  bytes: 64 * 1024,
  depth: 32,
  values: 4_096,
  patternLength: 1_000,
  uniqueItems: 1_024,
  steps: 20_000,
} as const;
