import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuthorityView } from '../actors/authority/view.js';
import { sampleAuthority, sampleTime } from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
});
afterEach(() => cli.close());

const terminal = (answer: boolean) => ({ terminal: { columns: 100, answer } });
const hour = 3_600_000;
const [old, next] = ['0a'.repeat(32), '0b'.repeat(32)] as const;

/** As it stands while nodes move. */
function inOverlap(behindNames: readonly string[], behind = behindNames.length): AuthorityView {
  const [ca] = sampleAuthority().cas;
  if (!ca) throw new Error('The sample has no CA');
  return {
    cas: [
      { ...ca, fingerprint: old, state: 'trusted', devices: 1 },
      { ...ca, fingerprint: next, state: 'issuing', devices: 0 },
    ],
    rotation: {
      by: 'operator:ada',
      reason: 'it is time',
      startedAt: sampleTime,
      endsAt: sampleTime + 48 * hour,
      behind,
      behindNames,
    },
  };
}

describe('ca show', () => {
  it('shows which there are, and nothing more while nothing is under way', async () => {
    const { code, stdout } = await cli.run(['ca', 'show']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/FINGERPRINT +STATE +NODES +SINCE +ENDS/);
    expect(stdout).toMatch(/abababababababab… +issuing +3 +12 s ago/);
    expect(stdout).not.toContain('rotation');
  });

  it('names the nodes that have not moved, and says when the time is over', async () => {
    cli.control.cas = inOverlap(['build-7', 'a\u001b[31mb'], 30);
    const { stdout } = await cli.run(['ca', 'show']);
    expect(stdout).toContain('begun 12 s ago by operator:ada: it is time.');
    expect(stdout).toMatch(/30 nodes have not moved yet: build-7, .* and 28 more\./);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/retired in 4[78] h|retired in [12] d/);
    cli.control.cas = inOverlap([]);
    expect((await cli.run(['ca', 'show'])).stdout).toContain('Every node has moved');
    const json: unknown = JSON.parse((await cli.run(['ca', 'show', '--json'])).stdout);
    expect(json).toMatchObject({ cas: [{ state: 'trusted' }, { state: 'issuing' }] });
  });
});

describe('ca rotate', () => {
  it('asks, and sends how long, why and whether at once', async () => {
    const no = await cli.run(['ca', 'rotate'], terminal(false));
    expect([no.asked, no.stdout]).toEqual([
      ['Make a new certificate authority?'],
      expect.stringContaining('Nothing was changed.'),
    ]);
    expect((await cli.run(['ca', 'rotate'])).stderr).toContain('Nobody can be asked');
    expect(cli.control.asked('rotateAuthority')).toEqual([]);
    const reason = ['--reason', 'its key may have been copied'];
    await cli.run(['ca', 'rotate', '--now', '--overlap', '2d', ...reason, '--yes']);
    await cli.run(['ca', 'rotate'], terminal(true));
    expect(cli.control.asked('rotateAuthority')).toEqual([
      { overlapMs: 48 * hour, now: true, reason: 'its key may have been copied' },
      { reason: '' },
    ]);
    const wrong = await cli.run(['ca', 'rotate', '--overlap', 'long', '--yes']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--overlap')]);
  });
});

describe('ca forget', () => {
  it('takes the beginning of a fingerprint that is of one of them, and asks', async () => {
    cli.control.cas = inOverlap([]);
    const both = await cli.run(['ca', 'forget', '0', '--yes']);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('More than one')]);
    expect((await cli.run(['ca', 'forget', 'ff', '--yes'])).stderr).toContain("begins with 'ff'");
    const no = await cli.run(['ca', 'forget', '0A'], terminal(false));
    expect(no.asked).toEqual([`Delete the authority ${old}? 1 node knows no other and must pair again.`]);
    const unused = await cli.run(['ca', 'forget', '0b'], terminal(false));
    expect(unused.asked).toEqual([`Delete the authority ${next}? No node uses it.`]);
    expect(cli.control.asked('forgetAuthority')).toEqual([]);
    expect((await cli.run(['ca', 'forget', '0a', '--reason', 'lost', '--yes'])).code).toBe(0);
    expect(cli.control.asked('forgetAuthority')).toEqual([{ fingerprint: old, reason: 'lost' }]);
  });
});
