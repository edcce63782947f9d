// Reads what src/kernel/index.ts exports and what the comment above each export says, from the source itself.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kernel = fileURLToPath(new URL('../src/kernel/', import.meta.url));
const source = (name) => readFile(join(kernel, name), 'utf8');

const declaration =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^export (?:declare )?(?:async )?(function|const|class|interface|type) (\w+)/gm;

/** The declarations that a file exports, in their order: name, keyword, and the text of the comment, if there is one. */
function declarationsIn(text) {
  return [...text.matchAll(declaration)].map(([, comment, keyword, name]) => ({
    name,
    keyword,
    comment: comment?.replace(/^\s*\* ?/gm, '').trim(),
  }));
}

/** All exports of the kernel, in the order of its index. */
export async function kernelExports() {
  const index = await source('index.ts');
  const statements = [...index.matchAll(/^export (?:type )?(?:\*|\{([^}]*)\}) from '\.\/([\w-]+)\.js';$/gm)];
  const groups = await Promise.all(
    statements.map(async ([, names, file]) => {
      const declared = declarationsIn(await source(`${file}.ts`)).map((found) => ({ ...found, file: `${file}.ts` }));
      if (names === undefined) return declared;
      const wanted = names.split(',').map((name) => name.trim().replace(/^type /, '')).filter((name) => name !== '');
      return wanted.map((name) => {
        const found = declared.find((one) => one.name === name);
        if (!found) throw new Error(`src/kernel/${file}.ts: no declaration of ${name} was found`);
        return found;
      });
    }),
  );
  return groups.flat();
}
