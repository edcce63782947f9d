/** A small sound manifest, as its file states it; parts of it are replaced to try what is refused. */
export function sampleManifest(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    apiVersion: 'palyra.dev/v1',
    name: 'greeter',
    version: '1.2.3',
    publisher: 'Test',
    engines: { palyra: '>=0.1.0' },
    entry: 'dist/index.js',
    isolation: 'inline',
    capabilities: [sampleCapability()],
    ...changes,
  };
}

export function sampleCapability(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: 'greet',
    title: 'Greet',
    description: 'Says hello.',
    input: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string', maxLength: 20 } },
      additionalProperties: false,
    },
    output: { type: 'object', required: ['greeting'], properties: { greeting: { type: 'string' } } },
    examples: [{ title: 'Ada', input: { name: 'Ada' }, output: { greeting: 'Hello, Ada' } }],
    ...changes,
  };
}
