import { execFile } from 'node:child_process';
import { serviceError } from './service-errors.js';

/** What a program of the system has answered. */
export interface ToolAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the system to its end. No shell is between. @throws AppError `service.manager_missing`, `service.manager_failed`. */
export type RunTool = (program: string, args: readonly string[], limitMs?: number) => Promise<ToolAnswer>;

const defaultLimitMs = 20_000;
/** Characters of what a program said that are shown of it. */
const shownText = 500;

/** {@link RunTool} with the programs on the PATH of that environment. */
export function toolRunner(env: NodeJS.ProcessEnv): RunTool {
  return (program, args, limitMs = defaultLimitMs) =>
    new Promise((resolve, reject) => {
      const options = {
        env: { ...env, LC_ALL: 'C' },
        timeout: limitMs,
        maxBuffer: 1024 * 1024,
        encoding: 'utf8',
      } as const;
      execFile(program, [...args], options, (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
        else if (error.code === 'ENOENT') reject(missing(program, error));
        else reject(failed([program, ...args], `${error.killed ? 'no answer in time' : error.message}`));
      });
    });
}

/** Runs a program that must succeed. @throws AppError as {@link RunTool}, and for any exit code but 0. */
export async function mustRun(
  run: RunTool,
  program: string,
  args: readonly string[],
  limitMs?: number,
): Promise<ToolAnswer> {
  const answer = await run(program, args, limitMs);
  if (answer.code === 0) return answer;
  throw failed([program, ...args], (answer.stderr || answer.stdout).trim().slice(0, shownText));
}

function missing(program: string, cause: unknown) {
  return serviceError('manager_missing', `There is no program ${program}`, {
    hint: 'Take another manager: --manager detached',
    cause,
  });
}

function failed(command: readonly string[], why: string) {
  return serviceError('manager_failed', `\`${command.join(' ')}\` failed: ${why || 'it did not say why'}`, {
    hint: 'Run that command to see more, or take another manager: --manager detached',
  });
}
