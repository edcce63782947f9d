import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * One run of one process. The pid alone may belong to another process by now; together with the start time it can't.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in a form of the operating system's own that is only good for comparison. */
  readonly startedAt: string;
}

/**
 * The identity of the process that has this pid now, or undefined when there is none (a zombie is none: it has released
 * all it held). Linux: start in clock ticks since boot, with the id of that boot (proc(5)). Elsewhere: `ps -o lstart=`,
 * to the second, which takes some milliseconds.
 *
 * @example
 * const identity = processIdentity(process.pid);
 */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startFromPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether the very process that this identity was taken from still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return processIdentity(identity.pid)?.startedAt === identity.startedAt;
}

function startOnLinux(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || ticks === undefined) return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
}

function startFromPs(pid: number): string | undefined {
  try {
    const options = {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: 'pipe',
    } as const;
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') || started.length === 0
      ? undefined
      : started.join(' ');
  } catch {
    return undefined;
  }
}
