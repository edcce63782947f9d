/** The names of what must not stand in a log, however deep. What they name is a `Secret` in the code; this is the second net. */
const secretKeys = [
  'token',
  'secret',
  'joinString',
  'passphrase',
  'password',
  'pin',
  'privateKey',
  'privateKeyPem',
  'authorization',
  'cookie',
] as const;

/** How deep below the fields of a line a name is looked for: `err.details.token` is at depth 2. */
const depth = 4;

/** Paths for pino: each name at each depth. */
export const redactedPaths: readonly string[] = secretKeys.flatMap((key) =>
  Array.from({ length: depth }, (_, level) => `${'*.'.repeat(level)}${key}`),
);

export const censor = '[redacted]';

/** What a secret looks like wherever it stands: in a message, in the text of an error, under another name. */
const shapes: readonly RegExp[] = [
  // The join string keeps its public parts: addresses, CA and code id say which one it was.
  /(?<=palyra:\/\/join\/v1\/[^/\s"]{1,2048}\/[\w-]{1,64}\/[\w-]{1,64}\/)[\w-]+/g,
  /\bpat_[\w-]{20,}/g,
  // PEM, as it stands in a line of JSON, also when it was cut.
  /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=]|\\[nr])*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g,
];

/** The line without anything in it that has the shape of a secret. */
export function withoutSecrets(line: string): string {
  return shapes.reduce((text, shape) => text.replace(shape, censor), line);
}
