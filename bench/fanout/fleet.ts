import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ControlPlaneClient } from '../../src/client/index.js';
import type { Programs } from '../fixture.js';
import { provingAtATime } from '../load/enrolment.js';
import type { HostAsks } from '../load/host-process.js';
import { ReportingProcess } from '../reporting-process.js';
import { Role } from '../role.js';
import { until } from '../until.js';

export interface FleetOptions {
  readonly programs: Programs;
  /** For state and logs; it is the caller's to remove. */
  readonly directory: string;
  readonly hosts: number;
  /** How many processes the hosts are spread over. */
  readonly processes: number;
}

/** A real palyrad as a process of its own, with its API, and real node hosts that are connected to it. */
export interface Fleet {
  readonly client: ControlPlaneClient;
  /** Device ids. */
  readonly nodes: readonly string[];
  /** From the first code that is minted to the last host that is online, milliseconds. */
  readonly enrolledMs: number;
  /** Resident memory of palyrad before a host asked to join, bytes. */
  readonly daemonAlone: number;
  /** The same at this moment. */
  daemonMemory(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts palyrad and the hosts. What was started is stopped when a later step fails. */
export async function startFleet({ programs, directory, hosts, processes }: FleetOptions): Promise<Fleet> {
  const state = join(directory, 'daemon');
  const ports = ['--http-port', '0', '--enroll-port', '0', '--node-port', '0'];
  const daemon = new ReportingProcess({
    program: [programs.palyrad, '--json', '--state-dir', state, ...ports],
    output: join(directory, 'daemon.ndjson'),
  });
  const running: { stop(): Promise<void> }[] = [daemon];
  const stop = async (): Promise<void> => {
    // The hosts first, so that none looks for its daemon.
    for (const one of running.splice(0).reverse()) await one.stop();
  };
  try {
    const { http } = await daemon.reported('ready');
    const token = await readFile(join(state, 'operator.token'), 'utf8');
    const client = new ControlPlaneClient({ baseUrl: String(http), token: token.trim() });
    const daemonMemory = () => residentBytes(daemon.pid ?? 0);
    const daemonAlone = await daemonMemory();
    const roles = Array.from({ length: processes }, (_, n) => {
      const logFile = join(directory, `hosts-${n}.log`);
      const role = new Role<HostAsks>({ script: join(programs.roles, 'host-process.mjs'), logFile });
      running.push(role);
      return role;
    });
    const began = performance.now();
    const nodes = await enrol(client, roles, directory, hosts);
    return { client, nodes, enrolledMs: performance.now() - began, daemonAlone, daemonMemory, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Enrols as an operator who approves everything would, within what the enrolment port lets one address do at a time. */
async function enrol(
  client: ControlPlaneClient,
  roles: readonly Role<HostAsks>[],
  directory: string,
  count: number,
): Promise<readonly string[]> {
  const codes = await Promise.all(Array.from({ length: count }, () => client.mintJoinString({})));
  const joinStrings = codes.map(({ joinString }) => joinString);
  const atATime = Math.max(1, Math.floor(provingAtATime / roles.length));
  let approved = 0;
  let isDone = false;
  const joining = Promise.all(
    roles.map((role, n) =>
      role.ask('join', {
        directory: join(directory, `hosts-${n}`),
        joinStrings: joinStrings.filter((_, index) => index % roles.length === n),
        atATime,
      }),
    ),
  ).finally(() => {
    isDone = true;
  });
  const approving = until('all hosts approved', 120_000, async () => {
    const { pairings } = await client.listPairings({ state: ['pending_approval'] });
    // All of them propose the name of this machine.
    await Promise.all(
      pairings.map(({ id, transcript }) =>
        client.approvePairing(id, { transcript, name: `host-${++approved}` }),
      ),
    );
    return isDone || undefined;
  });
  await Promise.all([joining, approving]);
  return until(`${count} hosts online`, 60_000, async () => {
    const { devices } = await client.inventory();
    const ready = devices.filter(({ presence }) => presence === 'online');
    return ready.length >= count ? ready.map(({ deviceId }) => deviceId) : undefined;
  });
}

async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
}
