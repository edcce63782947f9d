import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { registerNodeAnswers } from './node-answers.js';
import { registerNodeInstall } from './node-install.js';
import { registerNodeLogs } from './node-logs.js';
import { registerNodeRun } from './node-run.js';
import { registerNodeService } from './node-service.js';
import { registerNodeStatus } from './node-status.js';
import { registerNodeUninstall } from './node-uninstall.js';

/** `palyra node …`: the node host. */
export function registerNodeCommand(program: Command, context: CliContext): void {
  const node = program.command('node').description('be a machine that runs capabilities');
  registerNodeRun(node, context);
  registerNodeAnswers(node, context);
  registerNodeInstall(node, context);
  registerNodeService(node, context);
  registerNodeStatus(node, context);
  registerNodeLogs(node, context);
  registerNodeUninstall(node, context);
}
