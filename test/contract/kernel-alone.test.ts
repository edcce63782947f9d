import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * `src/kernel` is meant to be taken. This takes it into an empty project that has XState, Node's types and nothing else, and
 * compiles it there together with the examples of docs/kernel.md and with every `@example` of its comments.
 */

const root = join(import.meta.dirname, '..', '..');
const kernel = join(root, 'src', 'kernel');
const project = mkdtempSync(join(tmpdir(), 'palyra-kernel-'));
const sources = new Map(
  readdirSync(kernel)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => [name, readFileSync(join(kernel, name), 'utf8')]),
);

/** The code blocks of the guide, in their order: the first is the example, and the second what it prints. */
const [example = '', printed = '', ...fragments] = [
  ...readFileSync(join(root, 'docs', 'kernel.md'), 'utf8').matchAll(/^```(?:ts|text)\n([\s\S]*?)^```$/gm),
].map(([, text = '']) => text);

/** The examples in the comments of a file. */
function examplesOf(text: string): readonly string[] {
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\//g)].flatMap(([, comment = '']) =>
    comment
      .replace(/^\s*\* ?/gm, '')
      .split(/^ *@example/m)
      .slice(1)
      .map((part) => part.replace(/^ *@\w[\s\S]*/m, '')),
  );
}

/** What fragments of code talk about without making it. */
const given = `
declare const kernel: Kernel;
declare const deadlines: Deadlines;
declare const directory: Directory;
declare const clock: Clock;
declare const log: KernelLog;
declare const self: AnyActorRef;
declare const caller: VerifiedCaller;
declare const storeLogic: AnyActorLogic, sessions: AnyActorLogic, tree: AnyActorLogic, dispatchLogic: AnyActorLogic;
declare const machine: AnyStateMachine, door: AnyStateMachine, machineThatInvokes: AnyStateMachine;
declare const record: unknown, records: { get(id: string): unknown; fail(id: string): void };
declare const history: readonly JournalEntry[];
declare const deviceId: string, id: string, state: string, reason: string, since: number;
declare function refuse(): void;
type Status = { readonly sessions: number };
type JobEvent = { type: 'cancel'; caller: VerifiedCaller } | { type: 'deadline' };
`;

/** A fragment as a program: with everything in scope that the kernel declares, and with what is given. */
function programOf(fragment: string): string {
  const imports = [...sources].flatMap(([name, text]) => {
    const declared = text.matchAll(/^export (?:async )?(?:function|const|class|interface|type) (\w+)/gm);
    const names = new Set([...declared].map((match) => match[1]));
    return names.size === 0
      ? []
      : [`import { ${[...names].join(', ')} } from './kernel/${name.replace('.ts', '.js')}';`];
  });
  return `import { writeFileSync } from 'node:fs';
import { createActor, fromCallback, setup, type AnyActorLogic, type AnyActorRef, type AnyStateMachine } from 'xstate';
${imports.join('\n')}
${given}
export async function fragment(): Promise<void> {
${fragment}
}
`;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
}

function run(...program: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, program, { cwd: project }, (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });
}

const compilerOptions = {
  target: 'ES2023',
  module: 'NodeNext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  rootDir: '.',
  outDir: 'out',
};

beforeAll(() => {
  mkdirSync(join(project, 'kernel'));
  for (const name of sources.keys()) cpSync(join(kernel, name), join(project, 'kernel', name));
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
  for (const name of ['xstate', join('@types', 'node'), 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['*.ts', 'kernel'] }),
  );

  writeFileSync(join(project, 'example.ts'), example);
  for (const [index, text] of fragments.entries()) {
    writeFileSync(join(project, `guide-${index}.ts`), programOf(text));
  }
  for (const [name, text] of sources) {
    for (const [index, fragment] of examplesOf(text).entries()) {
      writeFileSync(join(project, `${name.replace('.ts', '')}-${index}.ts`), programOf(fragment));
    }
  }
});
afterAll(() => rmSync(project, { recursive: true }));

describe('the kernel, taken alone', () => {
  it('compiles, with the examples in its guide and in its comments', async () => {
    expect(fragments.length).toBeGreaterThan(3);
    expect(readdirSync(project).filter((name) => name.endsWith('.ts')).length).toBeGreaterThan(20);
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(await run(tsc, '-p', 'tsconfig.json')).toEqual({ code: 0, stdout: '' });
  }, 60_000);

  it('prints what the guide says', async () => {
    expect(printed).not.toBe('');
    expect(await run(join('out', 'example.js'))).toEqual({ code: 0, stdout: printed });
  });

  it('is shown in ten lines, beside what is imported', () => {
    expect(
      example.split('\n').filter((line) => line !== '' && !line.startsWith('import ')).length,
    ).toBeLessThan(11);
  });
});
