import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { registerNodeAnswers } from './node-answers.js';
import { registerNodeRun } from './node-run.js';

/** `palyra node …`: the node host. */
export function registerNodeCommand(program: Command, context: CliContext): void {
  const node = program.command('node').description('be a machine that runs capabilities');
  registerNodeRun(node, context);
  registerNodeAnswers(node, context);
}
