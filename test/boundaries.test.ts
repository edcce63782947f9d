import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The arrow of docs/architecture.md: `kernel ← plugins ← actors ← adapters ← roots`. For each part of `src`, the parts
 * that it may import beside itself, and the packages where those are limited.
 */
const layers: Readonly<
  Record<string, { readonly parts: readonly string[]; readonly packages?: readonly string[] }>
> = {
  kernel: { parts: [], packages: ['xstate'] },
  contract: { parts: [], packages: ['typebox'] },
  plugins: { parts: ['kernel'] },
  actors: { parts: ['kernel', 'plugins'], packages: ['xstate', '@noble/curves', '@scure/bip39'] },
  adapters: { parts: ['kernel', 'plugins', 'actors', 'contract'] },
  client: { parts: ['kernel', 'contract'], packages: [] },
  daemon: { parts: ['kernel', 'plugins', 'actors', 'adapters', 'contract', 'cli'] },
  node: { parts: ['kernel', 'plugins', 'actors', 'adapters'] },
  testing: { parts: ['kernel', 'plugins', 'actors', 'adapters', 'daemon', 'node'] },
  cli: { parts: ['kernel', 'plugins', 'actors', 'adapters', 'contract', 'client', 'node'] },
};

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/dist/') && !file.includes('/node_modules/'));
}

/** The specifiers of all imports and re-exports of a file, those of types included. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = text.matchAll(
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^\s*import\s+['"]([^'"]+)['"]/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function packageOf(specifier: string): string {
  const [scope = '', name = ''] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** What a file of `src` imports that it may not. */
function violationsOf(file: string): readonly string[] {
  const part = relative(source, file).split('/')[0] ?? '';
  const layer = layers[part];
  if (!layer) return [`${relative(root, file)}: src/${part} is not a part of the layout`];
  return importsOf(file).flatMap((specifier) => {
    const where = `${relative(root, file)} imports ${specifier}`;
    if (specifier.startsWith('.')) {
      const target = relative(source, resolve(dirname(file), specifier)).split('/')[0] ?? '';
      return target === part || layer.parts.includes(target) ? [] : [where];
    }
    if (isBuiltin(specifier)) return part === 'contract' ? [where] : [];
    return layer.packages === undefined || layer.packages.includes(packageOf(specifier)) ? [] : [where];
  });
}

describe('import boundaries', () => {
  it('sees imports of every form', () => {
    expect(importsOf(fileURLToPath(import.meta.url))).toContain('node:fs');
    expect(importsOf(join(source, 'kernel', 'supervisor.ts'))).toContain('xstate');
  });

  it('keeps the arrow kernel ← plugins ← actors ← adapters ← roots', () => {
    expect(filesUnder(source).flatMap(violationsOf)).toEqual([]);
  });

  it('lets bundled plugins see the SDK and packages only', () => {
    const files = filesUnder(join(root, 'plugins'));
    expect(files.length).toBeGreaterThan(2);
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => {
          if (specifier.startsWith('.'))
            return relative(dirname(file), resolve(dirname(file), specifier)).startsWith('../..');
          return packageOf(specifier) === 'palyra-node-runtime' && specifier !== 'palyra-node-runtime/plugin';
        })
        .map((specifier) => `${relative(root, file)} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('turns certificate verification off in one function only', () => {
    const files = filesUnder(source).filter((file) =>
      /rejectUnauthorized:\s*false/.test(readFileSync(file, 'utf8')),
    );
    expect(files.map((file) => relative(root, file))).toEqual(['src/adapters/grpc/pinned-channel.ts']);
  });

  it('names no field of any message that could carry a private key', () => {
    const folder = join(root, 'proto');
    const protos = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.proto'),
    );
    const fields = protos.flatMap((name) =>
      [
        ...readFileSync(join(folder, name), 'utf8').matchAll(
          /^\s*(?:repeated\s+)?[\w.]+\s+(\w+)\s*=\s*\d+;/gm,
        ),
      ].map((match) => match[1] ?? ''),
    );
    expect(fields.length).toBeGreaterThan(80);
    expect(fields.filter((field) => /private|secret|passphrase|seed/.test(field))).toEqual([]);
  });
});
