import type { Command, CommanderError } from 'commander';
import { AppError, toAppError } from '../kernel/errors.js';
import { runtimeVersion } from '../plugins/runtime-version.js';
import { cliError } from './cli-errors.js';
import { commandTable } from './command-table.js';
import { type CliContext, hasColours } from './context.js';
import { type ExitCode, exitCodeOfCategory, exitCodes } from './exit-codes.js';

/**
 * Runs `palyra` with those arguments and returns its exit code. Nothing is thrown and the process is not ended.
 *
 * @param argv the arguments after the name of the program
 * @example
 * process.exitCode = await runCli(process.argv.slice(2), systemContext());
 */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  // Without the parser, which takes longer to load than this to answer.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    context.stdout.write(`${runtimeVersion()}\n`);
    return exitCodes.ok;
  }
  context.exitCode = exitCodes.ok;
  try {
    const program = await programFor(argv, context);
    await program.parseAsync([...argv], { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    return report(thrown, argv, context);
  }
}

/** The program with the command that is called; the others are there by name, for help and for suggestions. */
async function programFor(argv: readonly string[], context: CliContext): Promise<Command> {
  const { Command } = await import('commander');
  const program = new Command('palyra')
    .description('Enrol machines as nodes of palyrad and run capabilities on them.')
    .version(runtimeVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    // An option belongs to the command that it follows: `pair` and `pair list` have some of the same name.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Reported with all other errors.
      outputError: () => undefined,
      getOutHelpWidth: () => context.stdout.columns ?? 80,
      getErrHelpWidth: () => context.stderr.columns ?? 80,
      getOutHasColors: () => hasColours(context.stdout, context.env),
      getErrHasColors: () => hasColours(context.stderr, context.env),
    })
    .exitOverride();
  const words = argv.filter((word) => !word.startsWith('-'));
  const called = words[0] === 'help' ? words[1] : words[0];
  for (const { name, summary, load } of commandTable) {
    if (name === called) (await load())(program, context);
    else program.command(name).description(summary);
  }
  return program;
}

async function report(thrown: unknown, argv: readonly string[], context: CliContext): Promise<ExitCode> {
  if (isCommanderError(thrown) && thrown.exitCode === 0) return exitCodes.ok;
  // The help that shows for a missing command has said it all.
  if (isCommanderError(thrown) && thrown.code === 'commander.help') return exitCodes.usage;
  const error = isCommanderError(thrown) ? usageError(thrown) : toAppError(thrown);
  const { printError } = await import('./output.js');
  printError(context, error, wantsJson(argv));
  return exitCodeOfCategory(error.category);
}

function isCommanderError(thrown: unknown): thrown is CommanderError {
  return thrown instanceof Error && 'exitCode' in thrown && !(thrown instanceof AppError);
}

/** What the parser says, as `error: unknown option '--jso'` and a line with the nearest one. */
function usageError({ message, code }: CommanderError): AppError {
  const [first = '', ...rest] = message.split('\n');
  const question = rest.join(' ').replace(/[()]/g, '').trim();
  const hint = 'Add --help to see what there is.';
  return cliError('usage', first.replace(/^error: /, ''), {
    hint: question === '' ? hint : `${question} ${hint}`,
    details: { reason: code },
  });
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}
