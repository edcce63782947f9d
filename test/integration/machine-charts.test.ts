import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMermaid } from '../support/mermaid.js';

const root = join(import.meta.dirname, '..', '..');
const into = mkdtempSync(join(tmpdir(), 'palyra-charts-'));

function run(...options: string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  const script = join(root, 'scripts', 'write-machine-charts.mjs');
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [script, '--into', into, ...options],
      (_error, _stdout, stderr) => resolve({ code: child.exitCode ?? -1, stderr }),
    );
  });
}

describe('npm run docs', () => {
  beforeAll(async () => {
    expect(await run()).toEqual({ code: 0, stderr: '' });
  });
  afterAll(() => rmSync(into, { recursive: true }));

  it('writes a page whose chart Mermaid understands and whose tables say what each state takes', async () => {
    const page = readFileSync(join(into, 'machines', 'dispatch.md'), 'utf8');
    const chart = /```mermaid\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const { states } = await parseMermaid(chart);
    expect(states.map(({ id }) => id)).toContain('awaiting_local_mediation');
    expect(page).toContain('### awaiting_local_mediation\n\n');
    expect(page).toContain('| `cancel` | an operator with the role invoker |');
    expect(page).toMatch(
      /^\| `delivered` \| {2}\| \[dispatched\]\(#dispatched\) \| [A-Z].* \| `note delivery`, `changed` \|$/m,
    );
    expect(readFileSync(join(into, 'README.md'), 'utf8')).toContain('[dispatch](machines/dispatch.md)');
  });

  it('finds nothing stale in what it has just written', async () => {
    expect(await run('--check')).toEqual({ code: 0, stderr: '' });
  });

  it('names each stale, missing and left-over page and fails', async () => {
    appendFileSync(join(into, 'machines', 'session.md'), 'by hand');
    rmSync(join(into, 'machines', 'uplink.md'));
    writeFileSync(join(into, 'machines', 'gone.md'), '');
    const { code, stderr } = await run('--check');
    expect(code).toBe(1);
    expect(stderr.split('\n').sort()).toEqual([
      '',
      'machines/gone.md is left over from something that is gone: delete it',
      'machines/session.md is stale: run `npm run docs`',
      'machines/uplink.md is stale: run `npm run docs`',
    ]);
  });
});
