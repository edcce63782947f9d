import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The folder of a plugin that is being written, in a folder of its own, for tests. */
export interface SampleProject {
  readonly folder: string;
  write(path: string, text: string): Promise<void>;
  delete(path: string): Promise<void>;
  remove(): Promise<void>;
}

export async function sampleProject(source: string): Promise<SampleProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'palyra-plugin-')));
  const folder = join(root, 'greet');
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  await write('src/index.ts', source);
  return {
    folder,
    write,
    delete: (path) => rm(join(folder, path)),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** The source of a plugin with one capability. The parts are TypeScript that stands in the place that their names say. */
export function sampleSource(
  parts: {
    readonly head?: string;
    readonly plugin?: string;
    readonly capability?: string;
    readonly handler?: string;
  } = {},
): string {
  const {
    head = '',
    plugin = '',
    capability = '',
    handler = "({ greeting: 'Hello, ' + input.name })",
  } = parts;
  return `import { definePlugin, Type } from 'palyra-node-runtime/plugin';
${head}
export default definePlugin({
  name: 'greet', version: '1.0.0', publisher: 'Ada', engines: { palyra: '>=0.1.0' },
  ${plugin}
  capabilities: {
    greet: {
      title: 'Greet', description: 'Says hello.',
      input: Type.Object({ name: Type.String({ maxLength: 100, description: 'Who.' }) }, { additionalProperties: false }),
      output: Type.Object({ greeting: Type.String({ description: 'What to say.' }) }),
      examples: [{ title: 'Ada', input: { name: 'Ada' } }],
      ${capability}
      handler: ({ input }) => ${handler},
    },
  },
});
`;
}
