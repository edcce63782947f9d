import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning, processIdentity } from '../../src/adapters/os/process-identity.js';
import { admin, type LocalDaemon } from './local-daemon.js';

const palyra = fileURLToPath(new URL('../../dist/src/cli/palyra.js', import.meta.url));
const fakeSystemctl = fileURLToPath(new URL('./fake-systemctl.mjs', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine with a home of its own, on which `palyra` is run as its owner would. Its pairing is approved by the daemon. */
export class ServiceBench {
  /** With what paths may have in them and units and shells take for something else. */
  readonly home = join(mkdtempSync(join(tmpdir(), 'palyra-service-')), 'my 50% "home"');
  readonly systemd = join(this.home, 'systemd');
  readonly stateDirectory = join(this.home, '.local/state/palyra/node');
  readonly env: NodeJS.ProcessEnv;

  /** @param hasSystemd whether one that answers is on its PATH; what is on this machine is not. */
  constructor(hasSystemd: boolean) {
    const bin = join(this.home, 'bin');
    for (const folder of [bin, this.systemd]) mkdirSync(folder, { recursive: true });
    symlinkSync(process.execPath, join(bin, 'node'));
    if (hasSystemd) {
      for (const name of ['systemctl', 'systemd-notify']) {
        writeFileSync(join(bin, name), `#!${process.execPath}\n${readFileSync(fakeSystemctl, 'utf8')}`, {
          mode: 0o755,
        });
      }
      writeFileSync(join(bin, 'package.json'), '{"type":"module"}');
    }
    this.env = { HOME: this.home, PATH: bin, FAKE_SYSTEMD: this.systemd };
  }

  palyra(args: readonly string[], stdin = ''): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [palyra, ...args],
        { env: this.env },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
      child.stdin?.end(stdin);
    });
  }

  /** What its systemd was told, a line for each call. */
  calls(): readonly string[] {
    try {
      return readFileSync(join(this.systemd, 'calls'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }

  /** The process that holds its state directory. */
  hostPid(): number {
    try {
      const { pid, startedAt } = JSON.parse(readFileSync(join(this.stateDirectory, 'lock.json'), 'utf8'));
      return isRunning({ pid, startedAt }) ? pid : 0;
    } catch {
      return 0;
    }
  }

  close(): void {
    const pid = this.hostPid();
    if (pid > 0 && processIdentity(pid)) process.kill(pid, 'SIGKILL');
    rmSync(join(this.home, '..'), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Approves each machine that asks to join, until the function that it returns is called. */
export function approveAll(local: LocalDaemon): () => void {
  const { pairings } = local.daemon.control;
  const timer = setInterval(async () => {
    const { pairings: waiting } = await pairings.list(admin, { states: ['pending_approval'] });
    for (const { id, transcript } of waiting) {
      await pairings
        .approve(admin, id, { transcript, name: `node-${id.slice(-6).toLowerCase()}` })
        .catch(() => undefined);
    }
  }, 50);
  return () => clearInterval(timer);
}
