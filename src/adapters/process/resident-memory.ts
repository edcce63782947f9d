import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Reads the resident memory of a process, in bytes; 0 when it has ended. On Linux at once from /proc (proc(5)); elsewhere
 * from `ps`, as it was when it was last asked for.
 */
export function residentMemory(pid: number): () => number {
  return process.platform === 'linux' ? () => fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function fromPs(pid: number): () => number {
  let last = 0;
  let isAsking = false;
  return () => {
    if (!isAsking) {
      isAsking = true;
      execFile('ps', ['-o', 'rss=', '-p', String(pid)], (error, stdout) => {
        isAsking = false;
        last = error ? 0 : Number(stdout.trim()) * 1024;
      });
    }
    return last;
  };
}
