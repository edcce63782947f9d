import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CloneView } from '../actors/device/view.js';
import type { DispatchRecord } from '../actors/dispatch/record.js';
import { dispatchError } from '../actors/errors.js';
import { formatDeviceId } from '../actors/identity/device-id.js';
import { deferred } from '../adapters/http/testing/deferred.js';
import {
  sampleDevice,
  sampleDeviceId,
  sampleDispatch,
  sampleEntry,
  sampleExplanation,
  sampleFacts,
  sampleId,
  samplePairing,
  sampleTime,
} from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
});
afterEach(() => cli.close());

const device = sampleDeviceId();
const terminal = (answer: boolean, columns = 100) => ({ terminal: { columns, answer } });
const json = (text: string): unknown => JSON.parse(text);

describe('the command line', () => {
  it('says its version and helps with every command', async () => {
    expect((await cli.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await cli.run(['--help']);
    expect(help.code).toBe(0);
    for (const name of ['pair', 'pairings', 'inventory', 'devices', 'ca', 'invoke', 'dispatches', 'node']) {
      expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
  });

  it.each([
    ['pair'],
    ['pair', 'list'],
    ['pair', 'cancel'],
    ['pair', 'unlock'],
    ['pairings'],
    ['pairings', 'list'],
    ['pairings', 'approve'],
    ['pairings', 'reject'],
    ['ca'],
    ['ca', 'show'],
    ['ca', 'rotate'],
    ['ca', 'forget'],
    ['inventory'],
    ['devices'],
    ['devices', 'list'],
    ['devices', 'show'],
    ['devices', 'rename'],
    ['devices', 'label'],
    ['devices', 'rotate'],
    ['devices', 'revoke'],
    ['devices', 'remove'],
    ['devices', 'ban'],
    ['devices', 'lift'],
    ['devices', 'clone'],
    ['surfaces'],
    ['surfaces', 'list'],
    ['surfaces', 'show'],
    ['surfaces', 'approve'],
    ['surfaces', 'reject'],
    ['surfaces', 'revoke'],
    ['invoke'],
    ['dispatches'],
    ['dispatches', 'show'],
  ])('shows examples in the help of %s %s', async (...words) => {
    const { code, stdout } = await cli.run([...words.filter((word) => word !== undefined), '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n  \\$ palyra ${words[0]}`));
  });

  it('suggests the nearest command and option, with exit code 2', async () => {
    const command = await cli.run(['inventry']);
    expect(command.code).toBe(2);
    expect(command.stderr).toContain("unknown command 'inventry'");
    expect(command.stderr).toContain('Did you mean inventory?');
    const option = await cli.run(['inventory', '--jsn']);
    expect(option.code).toBe(2);
    expect(option.stderr).toContain('Did you mean --json?');
    expect((await cli.run(['invoke', 'build-7'])).code).toBe(2);
    expect((await cli.run(['invoke', 'a', 'b', 'c'])).code).toBe(2);
    expect((await cli.run([])).code).toBe(2);
    expect((await cli.run(['pair', '--method', 'magic'])).code).toBe(2);
  });

  it('gives errors as one JSON document on stdout with --json', async () => {
    const usage = await cli.run(['inventory', '--json', '--nothing']);
    expect(usage.code).toBe(2);
    expect(json(usage.stdout)).toMatchObject({ error: { code: 'cli.usage', category: 'validation' } });
    expect(usage.stderr).toBe('');
    const missing = await cli.run(['dispatches', 'show', sampleId('dp', 9), '--json']);
    expect(missing.code).toBe(7);
    expect(json(missing.stdout)).toMatchObject({ error: { code: 'dispatch.not_found', retryable: false } });
  });

  it('tells a person what failed, where, and what to do', async () => {
    cli.control.onCreate = async () => {
      throw dispatchError('invalid_input', 'The input does not fit echo', {
        fields: [{ field: 'input/text', message: 'must be a string' }],
        hint: 'Its schema is in the inventory.',
      });
    };
    const { code, stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'error: The input does not fit echo\n  input/text must be a string\n  hint: Its schema is in the inventory.\n',
    );
  });
});

describe('finding palyrad', () => {
  it('follows flags, then variables, then the state directory', async () => {
    expect((await cli.run(['inventory'])).code).toBe(0);
    const nowhere = 'http://127.0.0.1:9';
    expect((await cli.run(['inventory'], { env: { PALYRA_URL: 'http://127.0.0.1:65000' } })).code).toBe(4);
    expect((await cli.run(['inventory', '--url', cli.url], { env: { PALYRA_URL: nowhere } })).code).toBe(0);
    const elsewhere = { PALYRA_STATE_DIR: '/nonexistent', PALYRA_URL: nowhere };
    expect((await cli.run(['inventory', '--state-dir', cli.stateDirectory], { env: elsewhere })).code).toBe(
      0,
    );
    const token = { PALYRA_STATE_DIR: '/nonexistent', PALYRA_URL: cli.url };
    const tokenFile = join(cli.stateDirectory, 'operator.token');
    expect((await cli.run(['inventory'], { env: { ...token, PALYRA_TOKEN_FILE: tokenFile } })).code).toBe(0);
    expect((await cli.run(['inventory', '--token-file', tokenFile], { env: token })).code).toBe(0);
  });

  it('says that palyrad does not run, and how to start it', async () => {
    const { code, stderr } = await cli.run(['inventory', '--url', 'http://127.0.0.1:65000']);
    expect(code).toBe(4);
    expect(stderr).toContain("palyrad can't be reached at http://127.0.0.1:65000: nothing listens there");
    expect(stderr).toContain('hint: Start it with `palyrad`');
  });

  it('refuses a missing, exposed or wrong token with exit codes of their own', async () => {
    const file = join(cli.stateDirectory, 'operator.token');
    await chmod(file, 0o644);
    expect((await cli.run(['inventory'])).code).toBe(6);
    await rm(file);
    const missing = await cli.run(['inventory']);
    expect(missing.code).toBe(3);
    expect(missing.stderr).toContain(file);
    await writeFile(file, `pat_${'A'.repeat(43)}\n`, { mode: 0o600 });
    const wrong = await cli.run(['inventory']);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain('The token is not valid');
  });

  it('does not send the token in clear to another machine', async () => {
    const { code, stderr } = await cli.run(['inventory', '--url', 'http://palyra.example.org:7142']);
    expect(code).toBe(2);
    expect(stderr).toContain('unencrypted');
    expect((await cli.run(['inventory', '--url', 'palyra'])).code).toBe(2);
  });
});

describe('pairings', () => {
  it('lists what waits, or all', async () => {
    cli.control.pairing.requests = [
      samplePairing(),
      samplePairing({ id: sampleId('pr', 2), state: 'rejected' }),
    ];
    const waiting = await cli.run(['pairings', 'list']);
    expect(waiting.stdout.split('\n')).toHaveLength(3);
    expect(waiting.stdout).toMatch(/DEVICE +STATE +NAME +FROM +WORDS +ASKED +ID/);
    expect(waiting.stdout).toContain('12 s ago');
    expect((await cli.run(['pairings', 'list', '--all'])).stdout.split('\n')).toHaveLength(4);
    expect(json((await cli.run(['pairings', 'list', '--state', 'rejected', '--json'])).stdout)).toMatchObject(
      {
        pairings: [{ id: sampleId('pr', 2) }],
      },
    );
    cli.control.pairing.requests = [];
    expect((await cli.run(['pairings', 'list'])).stdout).toContain('palyra pair');
  });

  it('says of a known machine that comes back that it has the same key, and since when it could not', async () => {
    const certificateExpiresAt = sampleTime - 12 * 86_400_000;
    cli.control.pairing.requests = [samplePairing({ method: 'return', certificateExpiresAt, requested: [] })];
    const { stdout, asked } = await cli.run(['pairings', 'approve', device.slice(0, 7)], terminal(true));
    expect(stdout).toMatch(/Comes back +same key, certificate expired 12 d ago/);
    expect(asked).toEqual(['Let this machine come back?']);
  });

  it('shows what proves the machine, asks, and names the transcript that it showed', async () => {
    const { code, stdout, asked } = await cli.run(
      ['pairings', 'approve', device.slice(0, 7), '--name', 'ada', '--reason', 'mine'],
      terminal(true),
    );
    expect(code).toBe(0);
    for (const text of [
      'orbit lemon vessel absorb quick',
      formatDeviceId(device),
      '192.0.2.7',
      'linux x64',
      'builds',
      'team=infra',
      'echo',
      'ends in 10 min',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(asked).toHaveLength(1);
    expect(stdout).toContain('Approved as ada');
    expect(cli.control.asked('approve')).toEqual([
      { id: sampleId('pr'), transcript: 'cd'.repeat(32), name: 'ada', reason: 'mine' },
    ]);
  });

  it('changes nothing when the person says no, or when nobody can be asked', async () => {
    const no = await cli.run(['pairings', 'reject', sampleId('pr')], terminal(false));
    expect([no.code, no.stdout]).toEqual([0, expect.stringContaining('Nothing was changed')]);
    const nobody = await cli.run(['pairings', 'approve', sampleId('pr')]);
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const program = await cli.run(['pairings', 'approve', sampleId('pr'), '--json'], terminal(true));
    expect([program.code, program.asked]).toEqual([2, []]);
    expect([...cli.control.asked('approve'), ...cli.control.asked('reject')]).toEqual([]);
  });

  it('takes --yes, and prints the decided pairing with --json', async () => {
    const { code, stdout } = await cli.run([
      'pairings',
      'reject',
      formatDeviceId(device).slice(0, 12).toLowerCase(),
      '--yes',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(json(stdout)).toMatchObject({ id: sampleId('pr'), state: 'rejected' });
    const again = await cli.run(['pairings', 'reject', sampleId('pr'), '--yes']);
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('already')]);
  });

  it('does not guess which request is meant', async () => {
    cli.control.pairing.requests = [
      samplePairing(),
      samplePairing({ id: sampleId('pr', 2), deviceId: sampleDeviceId(2) }),
    ];
    const ambiguous = await cli.run(['pairings', 'approve', 'pr_01kd', '--yes']);
    expect([ambiguous.code, ambiguous.stderr]).toEqual([2, expect.stringContaining(sampleId('pr', 2))]);
    expect((await cli.run(['pairings', 'approve', 'pr_', '--yes'])).code).toBe(2);
    expect((await cli.run(['pairings', 'approve', 'pr_9zzz', '--yes'])).code).toBe(7);
    expect(cli.control.asked('approve')).toEqual([]);
  });

  it.each([
    ['devices', 'show'],
    ['devices', 'revoke', '--reason', 'test', '--yes'],
    ['devices', 'ban', '--reason', 'test', '--yes'],
    ['pairings', 'approve', '--yes'],
    ['surfaces', 'show'],
  ])('says which character of a device id was misread: %s %s', async (...command) => {
    const id = sampleDeviceId();
    const misread = formatDeviceId(`${id.slice(0, 3)}8${id.slice(4)}`).toLowerCase();
    const { code, stderr } = await cli.run([...command, misread]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("is '8', which no device id has; did you mean 'B'?"),
    ]);
  });

  it('prints no control characters of a peer', async () => {
    cli.control.pairing.requests = [
      samplePairing({
        proposedName: 'a\u001b[2Jb\u0007',
        purpose: '\u202eesrever\nWords fake',
        alerts: ['\u009b31mred'],
        facts: { ...samplePairing().facts, platform: '\u001b]0;title\u0007linux' },
      }),
    ];
    for (const argv of [
      ['pairings', 'list'],
      ['pairings', 'approve', sampleId('pr'), '--yes'],
      ['pairings', 'list', '--all', '--json'],
    ]) {
      const { stdout } = await cli.run(argv);
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(stdout).not.toMatch(/^ *Words fake/m);
    }
    const listed = json((await cli.run(['pairings', 'list', '--all', '--json'])).stdout);
    expect(listed).toMatchObject({
      pairings: [{ proposedName: 'a\u001b[2Jb\u0007', alerts: ['\u009b31mred'] }],
    });
  });
});

describe('inventory', () => {
  const long = 'a-very-long-name-of-a-machine-that-fills-the-line';

  it('fits the terminal and colours only there', async () => {
    cli.control.entries = [
      sampleEntry({ name: long }),
      sampleEntry({
        name: 'b',
        presence: 'offline',
        deviceId: sampleDeviceId(2),
        lastSeenAt: sampleTime - 7_200_000,
      }),
    ];
    const wide = await cli.run(['inventory']);
    expect(wide.stdout).toContain(long);
    expect(wide.stdout).toMatch(/b +\w{7} +trusted +offline +linux x64 +echo +2 h ago/);
    expect(wide.stdout).not.toContain('\u001b');
    const narrow = await cli.run(['inventory'], terminal(true, 80));
    expect(narrow.stdout).toContain('\u001b[32m');
    const lines = stripVTControlCharacters(narrow.stdout).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toContain('a-very-long');
    expect(lines[1]).toContain('…');
    const plain = await cli.run(['inventory'], { ...terminal(true, 80), env: { NO_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\u001b');
  });

  it('counts what may not be called, and shows alerts', async () => {
    const [capability] = sampleEntry().capabilities;
    cli.control.entries = [
      sampleEntry({
        capabilities: capability
          ? [capability, { ...capability, capability: 'shell', status: 'not_approved' }]
          : [],
        alerts: [{ code: 'clone', at: sampleTime, message: 'It may be a copy' }],
      }),
    ];
    const { stdout } = await cli.run(['inventory']);
    expect(stdout).toContain('echo (1 not usable)');
    expect(stdout).toContain('! build-7: It may be a copy (12 s ago)');
    cli.control.entries = [];
    expect((await cli.run(['inventory'])).stdout).toContain('palyra pair');
    expect(json((await cli.run(['inventory', '--json'])).stdout)).toEqual({ devices: [] });
  });
});

describe('devices', () => {
  const twin = `${device.slice(0, 10)}${sampleDeviceId(2).slice(10)}`;

  it('lists them, those that were removed only when asked for', async () => {
    cli.control.enrolled = [
      sampleDevice(),
      sampleDevice({ deviceId: sampleDeviceId(2), name: 'old', trust: 'removed', presence: 'offline' }),
    ];
    const { stdout } = await cli.run(['devices', 'list']);
    expect(stdout).toMatch(/build-7 +\w{7} +trusted +online +ends in 1 d +12 s ago/);
    expect(stdout).not.toContain('old');
    expect((await cli.run(['devices', 'list', '--all'])).stdout).toContain('old');
    const removed = await cli.run(['devices', 'list', '--trust', 'removed', '--json']);
    expect(json(removed.stdout)).toMatchObject({ devices: [{ name: 'old' }] });
    cli.control.enrolled = [];
    expect((await cli.run(['devices', 'list'])).stdout).toContain('palyra pair');
  });

  it.each([['build-7'], [device], [formatDeviceId(device)], [device.slice(0, 5).toLowerCase()]])(
    'shows the one that is meant by %s',
    async (text) => {
      const { code, stdout } = await cli.run(['devices', 'show', text]);
      expect(code).toBe(0);
      expect(stdout).toContain(formatDeviceId(device));
      expect(stdout).toMatch(/Approved +echo/);
      expect(stdout).toMatch(/Certificates +abab\S+, ends in 1 d/);
    },
  );

  it('takes no name for the beginning of an id of another, and names the nearest', async () => {
    cli.control.enrolled = [sampleDevice(), sampleDevice({ deviceId: twin, name: device.slice(0, 7) })];
    const both = await cli.run(['devices', 'show', device.slice(0, 7)]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('may be build-7')]);
    const none = await cli.run(['devices', 'show', 'biuld-7']);
    expect([none.code, none.stderr]).toEqual([7, expect.stringContaining('build-7')]);
  });

  it('shows the device, asks, and sends the decision with its reason and version', async () => {
    const revoke = ['devices', 'revoke', 'build-7', '--reason', 'laptop lost'];
    const no = await cli.run(revoke, terminal(false));
    expect(no.stdout).toContain('Nothing was changed.');
    expect(cli.control.asked('decideDevice')).toEqual([]);
    const yes = await cli.run([...revoke, '--if-version', '7'], terminal(true));
    expect(yes.asked).toEqual([
      `Shut build-7 (${device.slice(0, 7)}) out? Its session and what runs on it end at once.`,
    ]);
    expect(yes.stdout).toContain('palyra devices lift build-7');
    const asked = { id: device, action: 'revoke', reason: 'laptop lost' };
    expect(cli.control.asked('decideDevice')).toEqual([{ ...asked, version: 7 }]);
    const script = await cli.run([...revoke, '--yes', '--json']);
    expect(json(script.stdout)).toMatchObject({ deviceId: device, name: 'build-7' });
    expect(cli.control.asked('decideDevice')).toHaveLength(2);
    expect((await cli.run(revoke)).stderr).toContain('Nobody can be asked');
  });

  it('takes no decision without a reason, and no version that is no number', async () => {
    expect(await cli.run(['devices', 'lift', 'build-7', '--yes'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--reason'),
    });
    const odd = await cli.run(['devices', 'ban', 'build-7', '--reason', 'x', '--if-version', 'two']);
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("not 'two'")]);
  });

  it('bans an id that has never been here, and nothing else that is not', async () => {
    const unknown = sampleDeviceId(9);
    const ban = await cli.run(['devices', 'ban', formatDeviceId(unknown), '--reason', 'stolen', '--yes']);
    expect(ban.code).toBe(0);
    expect(cli.control.asked('decideDevice')).toEqual([{ id: unknown, action: 'ban', reason: 'stolen' }]);
    const question = await cli.run(['devices', 'ban', unknown, '--reason', 'stolen'], terminal(false));
    expect(question.asked).toEqual([
      `Ban ${formatDeviceId(unknown)}? It can neither connect nor join until you lift this.`,
    ]);
    expect((await cli.run(['devices', 'ban', 'nobody', '--reason', 'x', '--yes'])).code).toBe(7);
    expect((await cli.run(['devices', 'revoke', unknown, '--reason', 'x', '--yes'])).code).toBe(7);
  });

  it('renames, and says how a lifted device comes back', async () => {
    const renamed = await cli.run(['devices', 'rename', 'build-7', 'build-8']);
    expect([renamed.code, renamed.stdout]).toEqual([0, 'build-7 is build-7 from now on.\n']);
    expect(cli.control.asked('decideDevice')).toEqual([
      { id: device, action: 'rename', reason: '', name: 'build-8' },
    ]);
    const lift = () => cli.run(['devices', 'lift', 'build-7', '--reason', 'found', '--yes']);
    expect((await lift()).stdout).toContain('once an hour');
    cli.control.onDecide = async () => sampleDevice({ trust: 'expired' });
    expect((await lift()).stdout).toContain('has to join again: palyra pair');
    cli.control.onDecide = async () => sampleDevice({ trust: 'lifted' });
    expect((await lift()).stdout).toContain('as a new machine: palyra pair');
  });

  it('sets and removes labels, and says which a device has then', async () => {
    cli.control.onDecide = async () => sampleDevice({ labels: { role: 'edge', note: 'a=b\u001b[2J' } });
    const label = (...words: string[]) => cli.run(['devices', 'label', 'build-7', ...words]);
    const set = await label('role=edge', 'note=a=b', '--remove', 'site', 'floor', '--if-version', '3');
    expect([set.code, set.stdout]).toEqual([0, expect.stringContaining('has role=edge, note=a=b')]);
    expect(set.stdout).not.toContain('\u001b');
    expect(cli.control.asked('decideDevice')).toEqual([
      {
        id: device,
        action: 'label',
        reason: '',
        set: { role: 'edge', note: 'a=b' },
        remove: ['site', 'floor'],
        version: 3,
      },
    ]);
    cli.control.onDecide = async () => sampleDevice({ labels: {} });
    expect((await label('--remove', 'role')).stdout).toBe('build-7 has no labels from now on.\n');
    for (const words of [[], ['role'], ['=edge']]) expect((await label(...words)).code).toBe(2);
    expect((await label('role')).stderr).toContain("'role' is not a label");
  });

  it('orders a new certificate, and says when it comes', async () => {
    const rotate = () => cli.run(['devices', 'rotate', 'build-7', '--reason', 'key was copied']);
    expect((await rotate()).stdout).toContain('renews its certificate now');
    expect(cli.control.asked('decideDevice')).toEqual([
      { id: device, action: 'rotate', reason: 'key was copied' },
    ]);
    const rotation = { by: 'operator:ada', at: sampleTime, reason: '' };
    cli.control.onDecide = async () => sampleDevice({ presence: 'offline', rotation });
    expect((await rotate()).stdout).toContain('when it is back');
    cli.control.enrolled = [sampleDevice({ presence: 'offline', rotation })];
    expect((await cli.run(['devices', 'show', 'build-7'])).stdout).toMatch(
      /Rotation +ordered .* waits until/,
    );
  });

  it('shows another host that has come, and sends what was decided about it', async () => {
    const clone: CloneView = {
      id: sampleId('cl'),
      state: 'waiting',
      kind: 'older_state',
      address: '192.0.2.9',
      hostname: 'copy\u001b[31m',
      firstSeenAt: sampleTime,
      lastSeenAt: sampleTime,
      attempts: 3,
      actions: ['replace', 'reject', 'allow'],
    };
    cli.control.enrolled = [sampleDevice({ clones: [clone] })];
    const { stdout } = await cli.run(['devices', 'show', 'build-7']);
    expect(stdout).toContain(
      `Other hosts   ${clone.id}  copy at 192.0.2.9 waits for your decision. It came with an older state, 3 times, last 12 s ago.`,
    );
    const decide = ['devices', 'clone', 'build-7', 'reject', '--reason', 'a copy'];
    const asked = await cli.run(decide, terminal(false));
    expect(asked.asked).toEqual([
      `Turn copy at 192.0.2.9 away? The one that has been build-7 (${device.slice(0, 7)}) goes on.`,
    ]);
    expect(cli.control.asked('decideClone')).toEqual([]);
    expect((await cli.run(decide)).stderr).toContain('Nobody can be asked');
    expect((await cli.run([...decide, '--yes'])).code).toBe(0);
    const sent = { id: device, action: 'reject', reason: 'a copy', clone: clone.id };
    expect(cli.control.asked('decideClone')).toEqual([sent]);
    const second = { ...clone, id: sampleId('cl', 2) };
    cli.control.enrolled = [sampleDevice({ clones: [clone, second] })];
    const both = await cli.run([...decide, '--yes']);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining(second.id)]);
    await cli.run([...decide, '--yes', '--clone', second.id]);
    expect(cli.control.asked('decideClone')).toEqual([sent, { ...sent, clone: second.id }]);
    cli.control.enrolled = [sampleDevice()];
    expect((await cli.run([...decide, '--yes'])).code).toBe(7);
    expect((await cli.run(['devices', 'clone', 'build-7', 'ignore', '--reason', 'x'])).code).toBe(2);
  });

  it('tells what was decided, by whom and why', async () => {
    cli.control.enrolled = [
      sampleDevice({
        trust: 'revoked',
        decisions: [{ action: 'revoke', by: 'operator:ada', at: sampleTime, reason: 'laptop lost' }],
      }),
    ];
    const { stdout } = await cli.run(['devices', 'show', 'build-7']);
    expect(stdout).toContain('History       revoked by operator:ada, 12 s ago: laptop lost');
  });

  it('prints nothing of a peer raw', async () => {
    cli.control.enrolled = [sampleDevice({ facts: { ...sampleFacts, hostname: 'a\u001b[31mb' } })];
    expect((await cli.run(['devices', 'show', device])).stdout).not.toContain('\u001b');
  });
});

describe('invoke', () => {
  it('prints the output to stdout and the rest to stderr', async () => {
    const { code, stdout, stderr } = await cli.run([
      'invoke',
      'build-7',
      'echo',
      '--input',
      '{"text": "hello"}',
      '--timeout',
      '5s',
    ]);
    expect(code).toBe(0);
    expect(json(stdout)).toEqual({ text: 'hello' });
    expect(stderr).toBe(`✓ succeeded in 1.5 ms  ${sampleId('dp')}\n`);
    expect(cli.control.asked('createDispatch')).toEqual([
      expect.objectContaining({
        node: 'build-7',
        capability: 'echo',
        input: { text: 'hello' },
        timeoutMs: 5_000,
        wait: true,
        keyIfNeeded: expect.any(String),
      }),
    ]);
  });

  it('reads stdin, and takes a key', async () => {
    await cli.run(['invoke', 'build-7', 'echo', '--input', '-', '--key', 'k-1', '--queue'], {
      stdin: '[1, 2]\n',
    });
    const [asked] = cli.control.asked('createDispatch');
    expect(asked).toMatchObject({ input: [1, 2], idempotencyKey: 'k-1', queue: true });
    expect(asked).not.toHaveProperty('keyIfNeeded');
  });

  it('names where the input stops being JSON', async () => {
    const { code, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--input', '{text: "hello"}']);
    expect(code).toBe(2);
    expect(stderr).toContain('--input is not JSON: line 1, column 2\n');
    expect(stderr).toMatch(/^ {4}\{text: "hello"\}\n {5}\^$/m);
    expect((await cli.run(['invoke', 'a', 'echo', '--input', '-'], { stdin: '' })).stderr).toContain(
      'stdin is empty',
    );
    expect(cli.control.calls).toEqual([]);
  });

  it.each([
    ['failed', 1],
    ['rejected', 5],
    ['timed_out', 8],
    ['cancelled', 6],
    ['expired', 6],
    ['outcome_unknown', 6],
  ] as const)('ends with its own code when it %s', async (state, expected) => {
    const error = dispatchError('invalid_output', 'The output\u001b[2J does not fit', {
      hint: 'Tell its author',
    });
    cli.control.onCreate = async () =>
      sampleDispatch({ state, outcome: { state, reason: 'node_policy', error: error.toEnvelope() } });
    const { code, stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo']);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toContain(`✗ ${state}`);
    expect(stderr).toContain('error: The output does not fit\n  hint: Tell its author');
    const program = await cli.run(['invoke', 'build-7', 'echo', '--json']);
    expect(program.code).toBe(expected);
    expect(json(program.stdout)).toMatchObject({ state });
  });

  it.each([
    ['unknown_node', 7],
    ['unknown_capability', 7],
    ['not_approved', 5],
    ['node_offline', 4],
    ['busy', 6],
    ['key_conflict', 6],
    ['wait_timeout', 8],
  ] as const)('ends with its own code when it is refused as %s', async (reason, expected) => {
    cli.control.onCreate = async () => {
      throw dispatchError(reason, 'no', { hint: "Did you mean 'build-7'?" });
    };
    const { code, stderr } = await cli.run(['invoke', 'bild-7', 'echo']);
    expect({ code, stderr }).toEqual({
      code: expected,
      stderr: "error: no\n  hint: Did you mean 'build-7'?\n",
    });
  });

  it('does not wait with --no-wait, and gives the id', async () => {
    cli.control.onCreate = async () => sampleDispatch({ state: 'queued' });
    const { code, stdout, stderr } = await cli.run(['invoke', 'build-7', 'echo', '--no-wait', '--queue']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${sampleId('dp')}\n` });
    expect(stderr).toContain(`palyra dispatches show ${sampleId('dp')}`);
    expect(cli.control.asked('createDispatch')).toEqual([
      expect.objectContaining({ wait: false, queue: true }),
    ]);
  });

  it('cancels at Ctrl-C and waits for how it ends', async () => {
    const ended = deferred<DispatchRecord>();
    let interrupt = (): void => {};
    cli.control.onCreate = (request) => {
      const running = sampleDispatch({ state: 'running', labels: request.labels ?? {} });
      cli.control.known = [sampleDispatch({ id: sampleId('dp', 2), state: 'running' }), running];
      interrupt();
      return ended.promise;
    };
    cli.control.onCancel = async (id) => {
      const cancelled = sampleDispatch({
        id,
        state: 'cancelled',
        outcome: { state: 'cancelled', started: true },
      });
      ended.resolve(cancelled);
      return cancelled;
    };
    const { code, stderr } = await cli.run(['invoke', 'build-7', 'echo'], {
      onStart: (press) => {
        interrupt = press;
      },
    });
    expect(code).toBe(6);
    expect(cli.control.asked('cancelDispatch')).toEqual([
      { id: sampleId('dp'), reason: 'Ctrl-C at the terminal' },
    ]);
    expect(stderr).toContain('Cancelling');
    expect(stderr).toContain('✗ cancelled');
  });

  it('leaves at the second Ctrl-C, saying what is not known', async () => {
    let interrupt = (): void => {};
    cli.control.onCreate = (request) => {
      cli.control.known = [sampleDispatch({ state: 'running', labels: request.labels ?? {} })];
      interrupt();
      return new Promise(() => {});
    };
    cli.control.onCancel = async (id) => {
      setImmediate(interrupt);
      return sampleDispatch({ id, state: 'running' });
    };
    const { code, stderr } = await cli.run(['invoke', 'build-7', 'echo'], {
      onStart: (press) => {
        interrupt = press;
      },
    });
    expect(code).toBe(6);
    expect(stderr).toContain('whether it was done is unknown');
    expect(stderr).toContain(`palyra dispatches show ${sampleId('dp')}`);
  });
});

describe('explain', () => {
  it('says what happened, who can move it and what happens next', async () => {
    cli.control.explanation = sampleExplanation({ notes: ['Node \u001b[31mbuild-7 is offline'] });
    const { code, stdout } = await cli.run(['explain', 'build-7']);
    expect(code).toBe(0);
    expect(cli.control.asked('explain')).toEqual(['build-7']);
    expect(stdout).not.toContain('\u001b');
    for (const text of [
      `dispatch ${sampleId('dp')}: echo on build-7`,
      'queued, for 12 s',
      'It waits for its node to connect.',
      'queued on create, by operator:local: now',
      'cancel from an operator with the role invoker',
      'It ends as cancelled [may cancel]',
      'in 48 s (deliver by): It ends as expired',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).not.toContain('hands through');
  });

  it('says of what has ended that nothing comes', async () => {
    const { next: _next, ...rest } = sampleExplanation({ ended: true, state: 'succeeded', accepts: [] });
    cli.control.explanation = rest;
    const { stdout } = await cli.run(['explain', 'build-7']);
    expect(stdout).toContain('Nothing: it has ended.');
    expect(stdout).not.toContain('Who can move it');
    const asJson = json((await cli.run(['explain', 'build-7', '--json'])).stdout);
    expect(asJson).toMatchObject({ state: 'succeeded', ended: true, history: [{ event: 'create' }] });
  });
});

describe('dispatches show', () => {
  it('tells what happened, when and by whom', async () => {
    cli.control.known = [
      sampleDispatch({
        steps: [
          { at: sampleTime, to: 'queued', event: 'create', by: 'operator:local' },
          {
            at: sampleTime + 1_500,
            to: 'succeeded',
            event: 'result',
            by: `device:${device}`,
            note: 'fine\u001b[1m',
          },
        ],
      }),
    ];
    const { code, stdout } = await cli.run(['dispatches', 'show', sampleId('dp')]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Dispatch ${sampleId('dp')}, succeeded`);
    expect(stdout).toMatch(/\+1\.5 s {2}succeeded {2}by device:\w+ {2}fine$/m);
    expect(stdout).toContain('"text": "hello"');
    expect(json((await cli.run(['dispatches', 'show', sampleId('dp'), '--json'])).stdout)).toMatchObject({
      createdAt: '2026-01-02T03:04:05.678Z',
    });
  });

  it('refuses what is no id', async () => {
    const { code, stderr } = await cli.run(['dispatches', 'show', '../../etc']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('path/id')]);
  });
});
