import { requirePrintable } from './printable-text.js';
import { serviceError } from './service-errors.js';
import type { ServiceSpec } from './service-manager.js';

/** What the systemd of this machine can do. */
export interface SystemdAbilities {
  /** Its version, as `systemctl --version` says it: 252. */
  readonly version: number;
  /** Whether `systemd-notify` is there, by which the host says that it is up and that it is alive. */
  readonly notify: boolean;
}

/** The host says that it is alive three times in this time, seconds: see `watchdogBeat` in the node host. */
const watchdogSeconds = 90;
const startSeconds = 120;
/** systemd gives a program this much more than the program gives itself. */
const stopReserveMs = 5_000;

/**
 * Hardening that holds in a unit of a user, where systemd has no privileges: nothing here needs a mount or a user namespace, which
 * many machines refuse. What is left out on purpose: `MemoryDenyWriteExecute` (V8 compiles), `RestrictNamespaces` and
 * `SystemCallFilter` (processes of plugins may be browsers, which build their sandbox from both).
 */
const hardening: readonly string[] = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'SystemCallArchitectures=native',
  '# Keys are in memory: they are written to no core dump.',
  'LimitCORE=0',
  'UMask=0077',
];

/**
 * A service as a unit of the user's systemd (systemd.service(5), systemd.exec(5)).
 *
 * @throws AppError `service.bad_path` for a text that can't stand in a unit.
 * @example renderUnit(spec, { version: 255, notify: true })
 */
export function renderUnit(
  { description, command, stopMs }: ServiceSpec,
  { version, notify }: SystemdAbilities,
): string {
  const lines = [
    '# Written by `palyra node install`, which writes it anew. Keep changes of your own in a drop-in:',
    '# systemctl --user edit NAME',
    '[Unit]',
    `Description=${escapeSpecifiers(description)}`,
    '# It is tried again for ever.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...(notify
      ? ['Type=notify', '# systemd-notify is a child of the host.', 'NotifyAccess=all']
      : ['Type=exec']),
    `ExecStart=${execLine(command)}`,
    'Restart=always',
    '# A mistake in its configuration does not go away by itself.',
    'RestartPreventExitStatus=2',
    ...(version >= 254 ? ['RestartSec=1s', 'RestartSteps=8', 'RestartMaxDelaySec=5min'] : ['RestartSec=5s']),
    ...(notify ? [`WatchdogSec=${watchdogSeconds}s`] : []),
    `TimeoutStartSec=${startSeconds}s`,
    `TimeoutStopSec=${Math.ceil((stopMs + stopReserveMs) / 1000)}s`,
    '# The host ends the processes of plugins itself, in order; what is left of them is killed.',
    'KillMode=mixed',
    '# A plugin that takes too much memory ends alone.',
    'OOMPolicy=continue',
    ...hardening,
    '',
    '[Install]',
    'WantedBy=default.target',
  ];
  return `${lines.join('\n')}\n`;
}

/** The words of `ExecStart`: each in quotes, so that spaces, quotes, percent and dollar signs mean themselves. */
function execLine([program, ...args]: readonly string[]): string {
  // Variables are put into arguments and not into the path of the program (systemd.service(5), "Command lines").
  const quoted = args.map((arg) => quote(arg.replaceAll('$', '$$$$')));
  return [quote(requireSafe(program ?? '')), ...quoted].join(' ');
}

/** systemd starts no program whose path has one of these, in whatever way it is written. */
function requireSafe(program: string): string {
  if (!/["'\\]/.test(program)) return program;
  throw serviceError(
    'bad_path',
    `systemd starts no program with a quote or a backslash in its path: ${program}`,
    {
      hint: 'Use a Node.js at another path, or take another manager: --manager detached',
    },
  );
}

function quote(text: string): string {
  return `"${escapeSpecifiers(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function escapeSpecifiers(text: string): string {
  requirePrintable(text, 'unit');
  return text.replaceAll('%', '%%');
}
