import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { serviceExitCodes } from '../exit-codes.js';
import { print, printJson } from '../output.js';

interface StatusFlags {
  readonly stateDir?: string;
  readonly json?: boolean;
}

/** `palyra node status`. */
export function registerNodeStatus(node: Command, context: CliContext): void {
  node
    .command('status')
    .description('show whether the node host runs, and how its line to the daemon stands')
    .option('--state-dir <dir>', 'directory of the node host (PALYRA_NODE_STATE_DIR)')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExit codes, as of init scripts (LSB): 0 it runs, 3 it does not, 4 it runs and does not answer. Whether there is a session is in `session.state` of --json.',
    )
    .action((flags: StatusFlags) => showStatus(flags, context));
}

async function showStatus(flags: StatusFlags, context: CliContext): Promise<void> {
  const { findService, stateDirectoryOf } = await import('../service/host-service.js');
  const { askHost } = await import('../service/host-status.js');
  const { failureSince } = await import('../service/await-session.js');
  const { hostRows, rowLines, statusJson } = await import('../service/status-text.js');
  const { logFolder } = await import('../service/output.js');
  const { printable } = await import('../printable.js');
  const { relativeTime } = await import('../time-text.js');
  const stateDirectory = stateDirectoryOf(flags, context);
  const service = await findService(stateDirectory, context);
  const state = await service?.manager.state();
  const answer = await askHost(stateDirectory);
  const failure = answer.state === 'stopped' ? failureSince(stateDirectory, 0) : undefined;
  context.exitCode = serviceExitCodes[answer.state];
  const host = answer.state === 'running' ? answer.status : undefined;
  if (flags.json) {
    printJson(context, {
      state: answer.state,
      stateDirectory,
      ...(service === undefined || state === undefined
        ? {}
        : { service: { name: service.record.spec.name, manager: service.record.manager, ...state } }),
      ...(host === undefined ? {} : { host: statusJson(host) }),
      ...(failure === undefined ? {} : { failure }),
      log: logFolder(stateDirectory),
    });
    return;
  }
  const by =
    service === undefined
      ? 'not installed as a service'
      : `${service.record.spec.name}, ${service.record.manager}`;
  const pid = host?.pid ?? (answer.state === 'silent' ? answer.pid : undefined);
  const since =
    host === undefined
      ? ''
      : `, started ${relativeTime(new Date(host.startedAt).toISOString(), context.clock.now())}`;
  const word = { running: 'runs', silent: 'runs and does not answer', stopped: 'does not run' }[answer.state];
  const more = state?.state === 'waiting' ? '; it is to be started again' : '';
  const detail =
    answer.state === 'stopped' && state?.detail !== undefined ? `, last: ${printable(state.detail)}` : '';
  print(
    context,
    ...rowLines([
      ['Host', `${word}${pid === undefined ? '' : ` (pid ${pid})`}${since}${more}${detail}`],
      ['Service', by],
      ...(host === undefined ? [] : hostRows(context, host)),
      ...(failure === undefined ? [] : [['Failed', printable(failure.message)] as const]),
      ...(failure?.hint === undefined ? [] : [['', printable(failure.hint)] as const]),
      ['State', printable(stateDirectory)],
    ]),
  );
}
