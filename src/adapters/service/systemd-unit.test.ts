import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from './service-manager.js';
import { renderUnit } from './systemd-unit.js';

const spec: ServiceSpec = {
  name: 'palyra-node',
  description: 'Palyra node host',
  command: ['/usr/bin/node', '/opt/palyra/palyra.js', 'node', 'run', '--service'],
  stateDirectory: '/home/ada/.local/state/palyra/node',
  stopMs: 18_500,
};

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

const execStart = (unit: string): string => unit.match(/^ExecStart=(.*)$/m)?.[1] ?? '';

describe('a unit', () => {
  it('is hardened, tells systemd that it is alive, and is tried again for ever', () => {
    expect(renderUnit(spec, { version: 255, notify: true })).toMatchInlineSnapshot(`
      "# Written by \`palyra node install\`, which writes it anew. Keep changes of your own in a drop-in:
      # systemctl --user edit NAME
      [Unit]
      Description=Palyra node host
      # It is tried again for ever.
      StartLimitIntervalSec=0

      [Service]
      Type=notify
      # systemd-notify is a child of the host.
      NotifyAccess=all
      ExecStart="/usr/bin/node" "/opt/palyra/palyra.js" "node" "run" "--service"
      Restart=always
      # A mistake in its configuration does not go away by itself.
      RestartPreventExitStatus=2
      RestartSec=1s
      RestartSteps=8
      RestartMaxDelaySec=5min
      WatchdogSec=90s
      TimeoutStartSec=120s
      TimeoutStopSec=24s
      # The host ends the processes of plugins itself, in order; what is left of them is killed.
      KillMode=mixed
      # A plugin that takes too much memory ends alone.
      OOMPolicy=continue
      NoNewPrivileges=yes
      LockPersonality=yes
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
      SystemCallArchitectures=native
      # Keys are in memory: they are written to no core dump.
      LimitCORE=0
      UMask=0077

      [Install]
      WantedBy=default.target
      "
    `);
  });

  it('says nothing that an older systemd does not know, nor what takes systemd-notify where that is missing', () => {
    const older = renderUnit(spec, { version: 247, notify: false });
    expect(older).toContain('Type=exec\n');
    expect(older).toContain('RestartSec=5s\n');
    expect(older).not.toMatch(/RestartSteps|RestartMaxDelaySec|Watchdog|NotifyAccess/);
  });

  it('hands each argument over as it is, whatever is in it', () => {
    const variable = ['$', '{HOME}'].join('');
    const words = [
      '/opt/my node/$HOME/50%/bin',
      'a b',
      '%h',
      '"quoted"',
      "it's",
      `$HOME ${variable}`,
      'back\\slash\\',
      ';',
      'é→',
    ] as const;
    const [program, ...args] = words;
    const unit = renderUnit({ ...spec, command: [program, ...args] }, { version: 252, notify: true });
    expect(execStart(unit)).toBe(
      [
        '"/opt/my node/$HOME/50%%/bin"',
        '"a b"',
        '"%%h"',
        '"\\"quoted\\""',
        '"it\'s"',
        `"$$HOME $${variable}"`,
        '"back\\\\slash\\\\"',
        '";"',
        '"é→"',
      ].join(' '),
    );
  });

  it.each(['/opt/"x"/node', "/opt/it's/node", '/opt/b\\in/node'])(
    'can not start %s, which systemd refuses',
    (program) => {
      expect(() => renderUnit({ ...spec, command: [program] }, { version: 252, notify: true })).toThrow(
        expect.objectContaining({ code: 'service.bad_path' }),
      );
    },
  );

  it.each(['a\nExecStartPre=/bin/evil', 'a\u0000b', 'a\u007fb'])(
    'refuses %j, which would be another line or nothing',
    (word) => {
      const command = ['/usr/bin/node', word] as const;
      expect(() => renderUnit({ ...spec, command }, { version: 252, notify: true })).toThrow(
        expect.objectContaining({ code: 'service.bad_path' }),
      );
    },
  );

  it.skipIf(!hasAnalyze)('is one that systemd itself has nothing to say about', () => {
    const folder = mkdtempSync(join(tmpdir(), 'palyra unit-'));
    try {
      const program = join(folder, '50% sure');
      writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
      const version = Number.parseInt(
        execFileSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).split(' ')[1] ?? '',
        10,
      );
      const unit = renderUnit({ ...spec, command: [program, '$HOME', 'a b'] }, { version, notify: true });
      const file = join(folder, 'palyra-node.service');
      writeFileSync(file, unit);
      const { status, stderr } = spawnSync('systemd-analyze', ['--user', 'verify', '--man=no', file], {
        encoding: 'utf8',
        env: { ...process.env, XDG_RUNTIME_DIR: folder },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
