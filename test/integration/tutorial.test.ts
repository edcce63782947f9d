import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { installFromHere, root } from '../support/plugin-install.js';
import { missingLine, tutorialSteps } from '../support/tutorial.js';

const loopback = '127.0.0.1:0';
const cluster = new Cluster({
  PALYRA_LISTEN_HTTP_BIND: loopback,
  PALYRA_LISTEN_ENROLLMENT_BIND: loopback,
  PALYRA_LISTEN_NODE_BIND: loopback,
  NO_COLOR: '1',
});

afterAll(() => cluster.close());

/** Programs that go on in a terminal of their own. */
const goesOn = /\bpalyrad$|\bplugin dev$/;

test('the tutorial of docs/plugins.md works as it stands there', async () => {
  const page = readFileSync(join(root, 'docs/plugins.md'), 'utf8');
  const steps = tutorialSteps(page);
  expect(steps.length).toBeGreaterThan(14);
  let folder = cluster.directory;
  const seen: string[] = [];
  for (const step of steps) {
    if (step.kind === 'file') {
      const file = join(folder, step.file);
      // The source is shown; the test is written.
      if (step.file.endsWith('.test.ts')) writeFileSync(file, step.text);
      else expect(readFileSync(file, 'utf8')).toBe(step.text);
      continue;
    }
    if (step.kind === 'edit') {
      const file = join(folder, step.file);
      const text = readFileSync(file, 'utf8');
      expect(text).toContain(step.before);
      writeFileSync(file, text.replace(step.before, step.after));
      continue;
    }
    const { line, shown } = step;
    if (line.startsWith('cd ')) {
      folder = join(folder, line.slice(3));
      continue;
    }
    if (line === 'npm install') {
      installFromHere(folder);
      continue;
    }
    // Ids are those of this run.
    const id = /\bpr_[0-9a-z]{26}\b/g;
    const typed = line.replace(id, seen.join('\n').match(id)?.at(-1) ?? '');
    if (goesOn.test(line)) {
      const terminal = cluster.terminal(typed, folder);
      await expect.poll(() => missingLine(shown, terminal.printed), { timeout: 30_000 }).toBe(undefined);
      seen.push(terminal.printed);
      continue;
    }
    // A change that was saved runs in a moment.
    await expect
      .poll(
        async () => {
          const { stdout, stderr } = await cluster.type(typed, folder);
          const printed = `${stderr}\n${stdout}`;
          const missing = missingLine(shown, printed);
          return missing === undefined ? 'as shown' : `${typed}: no line '${missing}' in\n${printed}`;
        },
        { timeout: 30_000 },
      )
      .toBe('as shown');
  }
}, 240_000);

test('the smallest plugin in the page is the one that is bundled', () => {
  const page = readFileSync(join(root, 'docs/plugins.md'), 'utf8');
  const shown = /`plugins\/echo\/src\/index\.ts`, complete:\n\n```ts\n([\s\S]*?)```/.exec(page)?.[1];
  expect(shown).toBe(readFileSync(join(root, 'plugins/echo/src/index.ts'), 'utf8'));
});
