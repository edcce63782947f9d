import { systemClock } from '../kernel/clock.js';
import { choose } from './choose.js';
import type { CliContext } from './context.js';
import { exitCodes } from './exit-codes.js';

/** The context of a real process. */
export function systemContext(): CliContext {
  const { stdin, stdout, stderr, env } = process;
  // A reader that has seen enough, such as `head`, closes the pipe. That is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok);
    throw error;
  });
  return {
    stdin,
    stdout,
    stderr,
    env,
    clock: systemClock,
    exitCode: exitCodes.ok,
    interactive: stdin.isTTY === true && stdout.isTTY === true,
    async ask(question, { placeholder, problem }) {
      const prompts = await import('@clack/prompts');
      const validate = (text: string | undefined): string | undefined => problem(text ?? '');
      const answer = await prompts.text({ message: question, placeholder, validate });
      return prompts.isCancel(answer) ? undefined : answer;
    },
    async confirm(question) {
      const prompts = await import('@clack/prompts');
      const answer = await prompts.confirm({ message: question, initialValue: false });
      return answer === true;
    },
    choose: (question, choices, signal) =>
      choose({ input: stdin, output: stdout }, question, choices, signal),
    onInterrupt(listener) {
      process.on('SIGINT', listener);
      return () => process.off('SIGINT', listener);
    },
  };
}
