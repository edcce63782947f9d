import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlaneClient } from '../../src/client/index.js';
import { type BundledScript, scriptOnBuild } from '../support/child-program.js';
import { Cluster, type Program } from '../support/cluster.js';
import { countingPlugins, trustedPlugins, writeCountingPlugins } from './counting-plugins.js';
import { FaultyLine } from './faulty-line.js';

export type Side = 'daemon' | 'node';

/** A real daemon and a real node with a line between them that fails, each with its own slow or fast disk. */
export class Machines {
  readonly line: FaultyLine;
  readonly kills: Record<Side, number> = { daemon: 0, node: 0 };
  readonly restarts: Record<Side, number> = { daemon: 0, node: 0 };
  /** The file in which handlers count. */
  readonly countsFile: string;
  readonly #cluster: Cluster;
  readonly #shim: BundledScript;
  readonly #running: Partial<Record<Side, Program>> = {};

  private constructor(cluster: Cluster, line: FaultyLine, shim: BundledScript) {
    this.#cluster = cluster;
    this.line = line;
    this.#shim = shim;
    this.countsFile = join(cluster.directory, 'counts');
  }

  /** Starts both, paired and connected. */
  static async start(): Promise<Machines> {
    const shim = await scriptOnBuild(new URL('./shim.ts', import.meta.url));
    const line = await FaultyLine.start();
    const machines = new Machines(new Cluster(), line, shim);
    try {
      await machines.#prepare();
    } catch (thrown) {
      await machines.close();
      throw thrown;
    }
    return machines;
  }

  get directory(): string {
    return this.#cluster.directory;
  }

  client(): ControlPlaneClient {
    return this.#cluster.client();
  }

  /** What a command of the operator prints. */
  async palyra(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await this.#cluster.palyra(args);
    return `${stdout}${stderr}`;
  }

  /** Ends a side by `kill -9`. Does nothing when it does not run. */
  async kill(side: Side): Promise<void> {
    const program = this.#running[side];
    if (program === undefined) return;
    delete this.#running[side];
    // The count is of those that were killed; one that had ended by itself is a fault of its own.
    if (program.child.exitCode !== null) throw new Error(`The ${side} ended by itself: ${program.stderr}`);
    this.kills[side] += 1;
    await program.kill('SIGKILL');
  }

  /** Starts a side again. @param diskMs how slow its disk is in this life. Does not wait until it is ready. */
  restart(side: Side, diskMs: number): void {
    this.restarts[side] += 1;
    this.#running[side] = this.#shimmed(diskMs, () =>
      side === 'daemon' ? this.#cluster.daemonWithoutWaiting() : this.#cluster.node(),
    );
  }

  /** Has the node renew its certificate, and move its line to it, if the daemon can be asked. */
  async renewCertificate(): Promise<void> {
    const api = this.client();
    const [device] = await api.listDevices().then(
      ({ devices }) => devices,
      () => [],
    );
    // One that could not be ordered is not renewed: that is no part of what is tried here.
    if (device) await api.rotateDevice(device.deviceId, { reason: 'chaos' }).catch(() => undefined);
  }

  /** Waits until the node says that it is connected. */
  async connected(): Promise<void> {
    await this.#running.daemon?.event('ready');
    await this.#running.node?.event('connected');
  }

  /** What the node has in memory of dispatches. */
  async inFlightAtNode(): Promise<readonly { readonly dispatchId: string; readonly phase: string }[]> {
    const node = this.#running.node;
    if (node === undefined) throw new Error('The node does not run');
    const from = node.messages.length;
    node.child.kill('SIGUSR2');
    const { entries } = await node.event('in_flight', from);
    return entries as { readonly dispatchId: string; readonly phase: string }[];
  }

  /** Ends both in order, the node first. Their files can be read then. */
  async stop(): Promise<void> {
    for (const side of ['node', 'daemon'] as const) {
      const program = this.#running[side];
      delete this.#running[side];
      const code = await program?.kill('SIGTERM');
      if (code !== 0) throw new Error(`The ${side} ended with ${code}: ${program?.stderr}`);
    }
  }

  async close(): Promise<void> {
    await this.#cluster.close();
    this.line.close();
    await this.#shim.remove();
  }

  async #prepare(): Promise<void> {
    const config = join(this.directory, 'config', 'palyra');
    const plugins = join(this.directory, 'plugins');
    mkdirSync(config, { recursive: true });
    mkdirSync(plugins, { mode: 0o755 });
    writeCountingPlugins(plugins, this.countsFile);
    writeFileSync(this.countsFile, '');
    const daemon = {
      listen: { node: { advertise: [this.line.address] } },
      // A half-open line is found out within four of them.
      session: { heartbeat: '1s' },
      log: { level: 'warn' },
      plugins: { paths: [plugins], enabled: countingPlugins },
    };
    writeFileSync(join(config, 'palyra.yaml'), JSON.stringify(daemon));
    const node = { plugins: { paths: [plugins], enabled: countingPlugins, trusted: trustedPlugins } };
    writeFileSync(join(config, 'palyra-node.yaml'), JSON.stringify(node));
    this.#running.daemon = await this.#cluster.daemon();
    this.line.leadTo(String((await this.#running.daemon.event('ready')).node));
    const joinString = await this.#cluster.mint();
    this.#running.node = await this.#cluster.approve(
      this.#shimmed(0, () => this.#cluster.node(joinString)),
      'worker',
    );
  }

  #shimmed(diskMs: number, start: () => Program): Program {
    const { variables } = this.#cluster;
    variables.NODE_OPTIONS = `--import=${this.#shim.path}`;
    variables.PALYRA_CHAOS_DISK_MS = String(diskMs);
    try {
      return start();
    } finally {
      delete variables.NODE_OPTIONS;
      delete variables.PALYRA_CHAOS_DISK_MS;
    }
  }
}
