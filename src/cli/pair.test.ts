import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleCode, sampleId, samplePairing, sampleTime } from '../adapters/http/testing/samples.js';
import { largeDigits } from './large-digits.js';
import { type CliHarness, type CliRunOptions, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
});
afterEach(() => cli.close());

const json = (text: string): unknown => JSON.parse(text);
const terminal = (answer: boolean, columns = 100): CliRunOptions => ({ terminal: { columns, answer } });
/** A code that no machine has used yet. */
const fresh = () => {
  const { boundTo: _boundTo, pairingId: _pairingId, ...code } = sampleCode({ state: 'live' });
  return code;
};

describe('pair', () => {
  it('says what to run, and how long it works', async () => {
    const { code, stdout } = await cli.run([
      'pair',
      '--ttl',
      '1h',
      '--purpose',
      'builds',
      '--label',
      'team=infra',
      '--label',
      'tier=a=b',
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("palyra node run 'palyra://join/v1/sample'");
    expect(stdout).toContain('ends in 1 h');
    expect(stdout).not.toContain('loopback');
    expect(cli.control.asked('mintJoin')).toEqual([
      { ttlMs: 3_600_000, purpose: 'builds', labels: { team: 'infra', tier: 'a=b' } },
    ]);
  });

  it('makes a PIN that is typed, large on a terminal', async () => {
    const piped = await cli.run(['pair', '--pin', '--ttl', '5m']);
    expect(piped.code).toBe(0);
    expect(piped.stdout).toContain('PIN  47-193082');
    expect(piped.stdout).toContain('palyra node run --pin palyra.example.org:7443');
    expect(piped.stdout).not.toContain('█');
    expect(cli.control.asked('mintPin')).toEqual([{ ttlMs: 300_000 }]);
    const shown = await cli.run(['pair', '--pin', '--no-wait'], terminal(true));
    for (const line of largeDigits('47-193082')) expect(shown.stdout).toContain(line);
  });

  it('shows a join string as a QR code on a terminal that is wide enough, unless told not to', async () => {
    const blackOnWhite = '\u001b[30;107m';
    const shown = await cli.run(['pair', '--no-wait'], terminal(true));
    expect(shown.stdout).toContain(blackOnWhite);
    const others = [
      await cli.run(['pair', '--no-wait', '--no-qr'], terminal(true)),
      await cli.run(['pair', '--no-wait'], terminal(true, 20)),
      await cli.run(['pair', '--no-wait'], { ...terminal(true), env: { NO_COLOR: '1' } }),
      await cli.run(['pair']),
    ];
    for (const { stdout } of others) {
      expect(stdout).toContain('palyra://join/v1/sample');
      expect(stdout).not.toContain(blackOnWhite);
    }
  });

  it('warns when no other machine could join, with the lines to write', async () => {
    cli.control.pairing.loopbackOnly = true;
    const { stdout } = await cli.run(['pair']);
    expect(stdout).toContain('Only loopback addresses are advertised');
    expect(stdout).toContain(
      "  listen:\n    enrollment:\n      bind: 0.0.0.0:7443\n      advertise: ['this-machine.example.org:7443']\n    node:\n",
    );
  });

  it('prints the answer of the daemon with --json', async () => {
    expect(json((await cli.run(['pair', '--json'])).stdout)).toMatchObject({
      method: 'join',
      id: sampleId('pc'),
      joinString: 'palyra://join/v1/sample',
      loopbackOnly: false,
    });
    expect(json((await cli.run(['pair', '--pin', '--json'])).stdout)).toMatchObject({
      method: 'pin',
      pin: '47-193082',
    });
  });

  it('refuses what is no duration or no label', async () => {
    const ttl = await cli.run(['pair', '--ttl', 'soon']);
    expect([ttl.code, ttl.stderr]).toEqual([2, expect.stringContaining("--ttl: 'soon' is not a duration")]);
    const short = await cli.run(['pair', '--ttl', '1s']);
    expect([short.code, short.stderr]).toEqual([2, expect.stringContaining('/ttlMs')]);
    expect((await cli.run(['pair', '--label', 'infra'])).code).toBe(2);
  });

  it('counts down on a terminal, tells of wrong PINs as they come, and offers to approve the request', async () => {
    const wrongProofs = [{ at: sampleTime, address: '192.0.2.66' }];
    const answers = [fresh(), fresh(), { ...fresh(), wrongProofs }, { ...sampleCode(), wrongProofs }];
    let polls = 0;
    cli.control.pairing.onGetCode = () => answers[polls++] ?? sampleCode();
    const { code, stdout, stderr, asked } = await cli.run(['pair', '--pin'], terminal(true));
    expect(code).toBe(0);
    expect(polls).toBe(4);
    expect(stdout).toContain('Waiting for the machine, 9 min 48 s left.');
    expect(stdout).toContain('Waiting for the machine, 9 min 47 s left.');
    expect(stderr).toContain('A wrong PIN came from 192.0.2.66. Five end the code.');
    expect(stderr.match(/192\.0\.2\.66/g)).toHaveLength(1);
    expect(stdout).toContain('orbit lemon vessel absorb quick');
    expect(asked).toEqual(['Let this machine join?']);
    expect(cli.control.asked('approve')).toEqual([{ id: sampleId('pr'), transcript: 'cd'.repeat(32) }]);
  });

  it('waits for a request that is complete', async () => {
    cli.control.pairing.requests = [samplePairing({ state: 'proving' })];
    let polls = 0;
    cli.control.pairing.onGetCode = () => {
      polls += 1;
      if (polls === 3) cli.control.pairing.requests = [samplePairing()];
      return sampleCode();
    };
    const { code, stdout } = await cli.run(['pair', '--wait', '--json']);
    expect([code, polls]).toEqual([0, 3]);
    expect(stdout.trim().split('\n').map(json)).toEqual([
      expect.objectContaining({ event: 'minted' }),
      { event: 'request', pairing: expect.objectContaining({ id: sampleId('pr') }) },
    ]);
  });

  it.each([
    [{ state: 'expired', endReason: 'its time was over' }, 8, 'cli.code_expired', 'in time'],
    [
      { state: 'exhausted', endReason: '5 wrong proofs, the last from 192.0.2.66' },
      6,
      'cli.code_ended',
      '192.0.2.66',
    ],
    [{ state: 'cancelled', endReason: '' }, 6, 'cli.code_ended', 'The code is cancelled'],
  ] as const)('stops waiting when the code is over: %o', async (ended, exit, error, text) => {
    let polls = 0;
    cli.control.pairing.onGetCode = () => (polls++ === 0 ? fresh() : { ...fresh(), ...ended });
    const { code, stdout } = await cli.run(['pair', '--wait', '--json']);
    expect(code).toBe(exit);
    expect(stdout.trim().split('\n').map(json)).toEqual([
      expect.objectContaining({ event: 'minted', id: sampleId('pc') }),
      { error: expect.objectContaining({ code: error, message: expect.stringContaining(text) }) },
    ]);
  });
});

describe('pair list', () => {
  it('shows the codes that live, or all, with where wrong proofs came from', async () => {
    const wrongProofs = ['192.0.2.1', '192.0.2.66', '192.0.2.66'].map((address) => ({
      at: sampleTime,
      address,
    }));
    cli.control.pairing.minted = [
      { ...fresh(), method: 'pin', slot: '47', wrongProofs },
      sampleCode({ id: sampleId('pc', 2), state: 'cancelled', endReason: 'a mistake' }),
    ];
    const { stdout, stderr } = await cli.run(['pair', 'list']);
    expect(stdout).toMatch(/METHOD +STATE +FOR +WRONG PROOFS +ENDS +WHY +BY +ID/);
    expect(stdout).toContain('pin 47-…');
    expect(stdout).toContain('2 from 192.0.2.66, 1 from 192.0.2.1');
    expect(stdout).not.toContain('cancelled');
    expect(stderr).toBe('');
    expect((await cli.run(['pair', 'list', '--all'])).stdout).toContain('a mistake');
    expect(json((await cli.run(['pair', 'list', '--state', 'cancelled', '--json'])).stdout)).toEqual({
      codes: [expect.objectContaining({ id: sampleId('pc', 2) })],
      pins: { locked: false, wrongProofs: [] },
    });
    cli.control.pairing.minted = [];
    expect((await cli.run(['pair', 'list'])).stdout).toContain('palyra pair');
  });

  it('says that PINs are locked, since when, and how to unlock them', async () => {
    const wrongProofs = Array.from({ length: 20 }, () => ({
      at: sampleTime,
      address: '192.0.2.66',
      codeId: sampleId('pc'),
    }));
    cli.control.pairing.pinPairing = { locked: true, lockedAt: sampleTime, wrongProofs };
    const { stderr } = await cli.run(['pair', 'list']);
    expect(stderr).toContain('PIN pairing was locked 12 s ago, after 20 wrong PINs, 20 from 192.0.2.66.');
    expect(stderr).toContain('palyra pair unlock');
  });
});

describe('pair cancel', () => {
  it('ends the code that is meant by the beginning of its id, and says what stays', async () => {
    cli.control.pairing.minted = [sampleCode()];
    const { code, stdout } = await cli.run([
      'pair',
      'cancel',
      sampleId('pc').slice(0, 10),
      '--reason',
      'a mistake',
    ]);
    expect(code).toBe(0);
    expect(cli.control.asked('cancelCode')).toEqual([{ id: sampleId('pc'), reason: 'a mistake' }]);
    expect(stdout).toContain(`palyra pairings cancel ${sampleId('pr')}`);
  });

  it('needs an id that names one', async () => {
    cli.control.pairing.minted = [fresh(), { ...fresh(), id: sampleId('pc', 2) }];
    expect((await cli.run(['pair', 'cancel', 'pc_'])).code).toBe(2);
    expect((await cli.run(['pair', 'cancel', 'pc_zzzz'])).code).toBe(7);
    const both = await cli.run(['pair', 'cancel', sampleId('pc').slice(0, 10)]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining(sampleId('pc', 2))]);
    expect(cli.control.asked('cancelCode')).toEqual([]);
  });
});

describe('pair unlock', () => {
  it('shows where the wrong PINs came from, and asks', async () => {
    const wrongProofs = [{ at: sampleTime, address: '192.0.2.66', codeId: sampleId('pc') }];
    cli.control.pairing.pinPairing = { locked: true, lockedAt: sampleTime, wrongProofs };
    const no = await cli.run(['pair', 'unlock'], terminal(false));
    expect(no.stdout).toContain('1 from 192.0.2.66');
    expect(no.stdout).toContain('Nothing was changed');
    expect(cli.control.asked('unlockPins')).toEqual([]);
    await cli.run(['pair', 'unlock', '--reason', 'it was me'], terminal(true));
    expect(cli.control.asked('unlockPins')).toEqual(['it was me']);
    expect((await cli.run(['pair', 'unlock'])).code).toBe(2);
    expect((await cli.run(['pair', 'unlock', '--yes', '--json'])).code).toBe(0);
  });
});
