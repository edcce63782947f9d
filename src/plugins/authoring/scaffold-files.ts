/** What a new plugin is called, and by whom. */
export interface ScaffoldNames {
  /** The plugin's name, such as `disk-report`. */
  readonly name: string;
  /** The name by which callers ask for its first capability, such as `disk.report`. */
  readonly capability: string;
  readonly publisher: string;
}

/** Versions and places of the packages that it is made with. */
export interface ScaffoldPackages {
  /** What npm is told of this package: a version range, or where it lies. */
  readonly runtime: string;
  /** The range for `engines.palyra`. */
  readonly engine: string;
  readonly typescript: string;
  readonly vitest: string;
}

/** The files of a new plugin by their paths. It does something at once: it is there to be changed. */
export function scaffoldFiles(names: ScaffoldNames, packages: ScaffoldPackages): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', packageText(names, packages)],
    ['tsconfig.json', tsconfigText],
    ['.gitignore', 'node_modules\ndist\n'],
    ['README.md', readmeText(names)],
    ['src/index.ts', sourceText(names, packages)],
    ['src/index.test.ts', testText(names)],
  ]);
}

function packageText({ name, publisher }: ScaffoldNames, packages: ScaffoldPackages): string {
  const described = {
    name: `palyra-plugin-${name}`,
    version: '0.1.0',
    description: `The plugin ${name} for Palyra nodes.`,
    author: publisher,
    private: true,
    type: 'module',
    palyra: 'plugin.json',
    files: ['plugin.json', 'dist'],
    scripts: {
      dev: 'palyra plugin dev',
      build: 'palyra plugin pack',
      check: 'tsc && palyra plugin check',
      test: 'vitest run',
    },
    devDependencies: {
      'palyra-node-runtime': packages.runtime,
      typescript: packages.typescript,
      vitest: packages.vitest,
    },
  };
  return `${JSON.stringify(described, null, 2)}\n`;
}

const tsconfigText = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'ES2023',
      lib: ['ES2023'],
      module: 'NodeNext',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    },
    include: ['src'],
  },
  null,
  2,
)}\n`;

function sourceText({ name, capability, publisher }: ScaffoldNames, { engine }: ScaffoldPackages): string {
  return `import { definePlugin, Type } from 'palyra-node-runtime/plugin';

export default definePlugin({
  name: '${name}',
  version: '0.1.0',
  publisher: ${quoted(publisher)},
  engines: { palyra: '${engine}' },
  capabilities: {
    ${capability.includes('.') ? quoted(capability) : capability}: {
      title: '${titleOf(capability)}',
      description: 'Says hello to someone.',
      input: Type.Object(
        { name: Type.String({ minLength: 1, maxLength: 100, description: 'Whom to greet.' }) },
        { additionalProperties: false },
      ),
      output: Type.Object(
        { greeting: Type.String({ description: 'What to say.' }) },
        { additionalProperties: false },
      ),
      readOnly: true,
      examples: [{ title: 'Ada', input: { name: 'Ada' }, output: { greeting: 'Hello, Ada' } }],
      handler: ({ input }) => ({ greeting: \`Hello, \${input.name}\` }),
    },
  },
});
`;
}

function testText({ capability }: ScaffoldNames): string {
  return `import { type TestKit, testKit } from 'palyra-node-runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import plugin from './index.js';

let kit: TestKit;

beforeEach(async () => {
  kit = await testKit({ plugin });
});

afterEach(() => kit.close());

test('its examples are true', async () => {
  for (const capability of plugin.capabilities) {
    for (const { input, output } of capability.examples ?? []) {
      expect(await kit.invoke(capability.name, input)).toMatchObject({ state: 'succeeded', output });
    }
  }
});

test('an input that does not fit is refused before anything runs', async () => {
  await expect(kit.invoke('${capability}', { name: 7 })).rejects.toMatchObject({
    code: 'dispatch.invalid_input',
  });
});
`;
}

function readmeText({ name, capability }: ScaffoldNames): string {
  return `# ${name}

Gives the capability \`${capability}\`, which says hello to someone.

\`\`\`console
$ palyra invoke NODE ${capability} --input '{"name":"Ada"}'
\`\`\`

The code is \`src/index.ts\`. \`plugin.json\` is written from it and never edited by hand: commit it.

\`\`\`console
$ npm run dev      # run it on a node of this machine, and again with each change
$ npm test         # with the real actors of daemon and node
$ npm run check    # types, and everything that is wrong or could be better
$ npm run build    # dist/index.js and plugin.json
\`\`\`
`;
}

/** `disk.free_space` as `Disk free space`. */
function titleOf(capability: string): string {
  const words = capability.replace(/[._]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A text as a literal of the source. */
function quoted(text: string): string {
  return /['\\\p{Cc}]/u.test(text) ? JSON.stringify(text) : `'${text}'`;
}
