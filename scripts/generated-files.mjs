// What all generators of committed files do at the end: write, or with --check say which files are stale.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrNothing, writeChanged } from '../dist/src/plugins/authoring/write-changed.js';

/**
 * Brings the files of `fresh` (texts by their paths below `folder`) up to date. With `check` nothing is written: stale
 * files are named and the exit code is 1.
 *
 * @param options.command what to run when a file is stale.
 * @param options.only of a folder below `folder` that holds nothing else: what is there and not in `fresh` is left over.
 */
export async function bringUpToDate(folder, fresh, { check, command, only }) {
  const present = only === undefined ? [] : await readdir(join(folder, only)).catch(() => []);
  const leftOver = present.map((name) => join(only, name)).filter((path) => !fresh.has(path));
  if (!check) {
    for (const [path, text] of fresh) await writeChanged(join(folder, path), text);
  } else {
    for (const [path, text] of fresh) {
      if ((await readOrNothing(join(folder, path))) !== text)
        complain(`${path} is stale: run \`${command}\``);
    }
  }
  for (const path of leftOver) complain(`${path} is left over from something that is gone: delete it`);
}

function complain(message) {
  console.error(message);
  process.exitCode = 1;
}
