import type { Command } from 'commander';
import type { Stopped } from '../../adapters/service/service-manager.js';
import { parseDuration } from '../../kernel/duration.js';
import type { HostStatus } from '../../node/host-control.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';

interface ServiceFlags {
  readonly stateDir?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

const stateDirOption = ['--state-dir <dir>', 'directory of the node host (PALYRA_NODE_STATE_DIR)'] as const;
const timeoutOption = ['--timeout <duration>', 'how long to wait for the session', '30s'] as const;
const failures =
  '\nExit codes: 0 there is a session; 4 the daemon is not reached, 5 it refuses this node, 6 the certificate has ended or the host is run by another, 7 no service is installed, 8 no session in time. After 4, 5, 6 and 8 the service may run on and go on trying.';

/** `palyra node start`, `stop` and `restart`. */
export function registerNodeService(node: Command, context: CliContext): void {
  node
    .command('start')
    .description('start the service, and return when it has a session with the daemon, or say why not')
    .option(...stateDirOption)
    .option(...timeoutOption)
    .option('--json', 'print how the host stands as JSON')
    .addHelpText('after', failures)
    .action((flags: ServiceFlags) => startService(flags, context, false));
  node
    .command('restart')
    .description('stop the service and start it again')
    .option(...stateDirOption)
    .option(...timeoutOption)
    .option('--json', 'print how the host stands as JSON')
    .addHelpText('after', failures)
    .action((flags: ServiceFlags) => startService(flags, context, true));
  node
    .command('stop')
    .description('have the service end what it runs, wait for it, and kill it in the end')
    .option(...stateDirOption)
    .option('--json', 'print what came of it as JSON')
    .addHelpText(
      'after',
      examples([
        'palyra node stop',
        'waits as long as `--drain` of `palyra node install` says, and then kills',
      ]),
    )
    .action((flags: ServiceFlags) => stopService(flags, context));
}

async function startService(flags: ServiceFlags, context: CliContext, isRestart: boolean): Promise<void> {
  const { requireService, stateDirectoryOf } = await import('../service/host-service.js');
  const { awaitSession } = await import('../service/await-session.js');
  const stateDirectory = stateDirectoryOf(flags, context);
  const timeoutMs = parseDuration(flags.timeout, '--timeout');
  const { manager, record } = await requireService(stateDirectory, context);
  if (isRestart) await manager.stop();
  const since = context.clock.now();
  await manager.start();
  const status = await awaitSession({ stateDirectory, manager, since, timeoutMs }, context);
  await printStarted(status, record.spec.name, flags, context);
}

async function printStarted(
  status: HostStatus,
  name: string,
  { json }: ServiceFlags,
  context: CliContext,
): Promise<void> {
  const { sessionText, statusJson } = await import('../service/status-text.js');
  if (json) printJson(context, { service: name, host: statusJson(status) });
  else
    print(context, `${name} runs (pid ${status.pid}): ${sessionText(status.session, context.clock.now())}.`);
}

const stoppedText: Readonly<Record<Stopped, string>> = {
  stopped: 'has ended',
  killed: 'did not end in time and was killed',
  'was not running': 'was not running',
};

async function stopService(flags: ServiceFlags, context: CliContext): Promise<void> {
  const { requireService, stateDirectoryOf } = await import('../service/host-service.js');
  const { manager, record } = await requireService(stateDirectoryOf(flags, context), context);
  const outcome = await manager.stop();
  if (flags.json) printJson(context, { service: record.spec.name, outcome });
  else print(context, `${record.spec.name} ${stoppedText[outcome]}.`);
}
