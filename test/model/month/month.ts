import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toOperation } from '../../../src/actors/records.js';
import { MemoryStore } from '../../../src/adapters/store/memory.js';
import { loadConfig } from '../../../src/daemon/config/daemon-config.js';
import { tokens } from '../../../src/daemon/tokens.js';
import { verifiedCaller } from '../../../src/kernel/authority.js';
import { createKernel } from '../../../src/kernel/kernel.js';
import { SimulatedClock } from '../../../src/kernel/simulated-clock.js';
import { turns } from '../../../src/testing/process-life.js';
import type { Wire } from '../../../src/testing/wire.js';
import type { KeyPool } from '../../support/key-pool.js';
import { sampleDevice, silent } from '../samples.js';
import type { Fault } from './handshake.js';
import type { CallStep } from './link.js';
import { Machine } from './machine.js';
import {
  authorityOf,
  hour,
  type MonthDaemon,
  minute,
  monthConfig,
  startMonthDaemon,
} from './month-daemon.js';
import { Process, Signal, skewed } from './process.js';
import { Random } from './random.js';
import { checkRules } from './rules.js';

const second = 1_000;
/** How far the clock of a node may be off, and that of the daemon. */
export const nodeSkewMs = 10 * minute;
export const daemonSkewMs = 2 * minute;
/** How long until a side notices that a line is dead: gRPC's keepalive. */
const keepaliveMs = 15 * second;

interface Line {
  readonly wire: Wire;
  readonly machine: Machine;
  isBroken: boolean;
}

/** What breaks in the middle of something. `random` is that of the machine. */
export interface Faults {
  nodeDies(random: Random): boolean;
  breaks(random: Random): boolean;
  daemonDies(random: Random): boolean;
}

/**
 * A daemon and its nodes over weeks: the real actors of both sides with their real certificates, each on its own clock, over
 * links in memory, on one clock that jumps to where something happens. What must never happen is noted in `violations`.
 */
export class Month {
  readonly clock = new SimulatedClock();
  readonly violations = new Set<string>();
  readonly machines: readonly Machine[];
  /** How often each kind of thing has happened: a test without faults shows nothing. */
  readonly tally = new Map<string, number>();
  readonly random: Random;
  faults: Faults | undefined;
  /** Milliseconds that the daemon was off in all. */
  daemonOffMs = 0;
  /** The certificates with which the daemon has served. */
  readonly serverCertificates = new Set<string>();
  readonly #disk = { store: new MemoryStore(), directory: mkdtempSync(join(tmpdir(), 'palyra-month-')) };
  readonly #keys: KeyPool;
  readonly #ended = new Signal();
  #daemonSkewMs = 0;
  #starts = 0;
  #daemonLife: Process | undefined;
  #daemon: MonthDaemon | undefined;
  #lines: Line[] = [];
  #plan: { readonly at: number; readonly act: () => void }[] = [];

  private constructor(seed: number, nodes: number, keys: KeyPool) {
    this.random = new Random(seed);
    this.#keys = keys;
    this.machines = Array.from(
      { length: nodes },
      (_, index) =>
        new Machine(`node ${index}`, new Random(seed * 1_000 + index + 1), keys.source(index), {
          clock: this.clock,
          ended: this.#ended,
          daemon: () => this.#daemon,
          opened: (wire, machine) => this.#lines.push({ wire, machine, isBroken: false }),
          refused: (machine, whose, fault) => this.#refused(machine, whose, fault),
          diesHere: (machine, where) => this.#diesHere(machine, where),
          breaksHere: (machine, step) => this.#breaksHere(machine, step),
          violated: (rule) => this.violated(rule),
        }),
    );
  }

  /** Makes the daemon's CA and enrols the nodes, then starts all. */
  static async open(seed: number, nodes: number, keys: KeyPool): Promise<Month> {
    const month = new Month(seed, nodes, keys);
    const { clock } = month;
    const { store, directory } = month.#disk;
    const kernel = createKernel({ clock, log: silent });
    const config = monthConfig(loadConfig({ env: {}, flags: {} }));
    const { authorities } = await authorityOf(kernel, store, config, { directory, keys: keys.source(0) });
    for (const machine of month.machines) {
      const { csr, deviceId, publicKey } = await machine.joining();
      const { pem, ...certificate } = await authorities.issueDevice(csr, deviceId);
      const identityKey = publicKey.toString('base64url');
      const { name } = machine;
      const device = sampleDevice({ id: deviceId, name, identityKey, certificates: [certificate] });
      await store.commit([toOperation('device', deviceId, device)]);
      await machine.enrol({
        deviceId,
        name,
        certificate: pem,
        caCertificates: authorities.caCertificates(),
        nodeAddresses: ['daemon:7444'],
        enrollmentAddresses: ['daemon:7443'],
      });
    }
    month.startDaemon();
    for (const machine of month.machines) machine.start();
    await month.#settle();
    return month;
  }

  get daemon(): MonthDaemon | undefined {
    return this.#daemon;
  }

  /** Does something in `ms` milliseconds. */
  later(ms: number, act: () => void): void {
    const at = this.clock.monotonic() + ms;
    const index = this.#plan.findIndex((other) => other.at > at);
    this.#plan.splice(index === -1 ? this.#plan.length : index, 0, { at, act });
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  violated(rule: string): void {
    if (this.violations.size < 10) {
      this.violations.add(`day ${(this.clock.monotonic() / (24 * hour)).toFixed(3)}: ${rule}`);
    }
  }

  /** Lets time pass, until something has happened that must not. */
  async run(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    while (this.clock.monotonic() < end && this.violations.size === 0) {
      while ((this.#plan[0]?.at ?? end) <= this.clock.monotonic()) this.#plan.shift()?.act();
      await this.#settle();
      checkRules(this);
      const next = Math.min(end, this.#plan[0]?.at ?? end) - this.clock.monotonic();
      this.clock.advance(Math.max(1, Math.min(next, this.#stride())));
    }
    await this.#settle();
  }

  startDaemon(skewMs = 0): void {
    const life = new Process(this.#ended);
    this.#daemonLife = life;
    this.#daemonSkewMs = skewMs;
    const started = startMonthDaemon({
      life,
      disk: this.#disk,
      clock: skewed(this.clock, () => this.#daemonSkewMs),
      keys: this.#keys.source(this.#starts++),
      violated: (rule) => this.violated(rule),
    });
    life.during(started).then(
      (daemon) => {
        this.#daemon = daemon;
      },
      (error: unknown) => this.violated(`the daemon did not start: ${String(error)}`),
    );
  }

  /** The daemon dies, and comes back from its disk. @param offMs milliseconds until then */
  restartDaemon(offMs: number, skewMs: number, random = this.random): void {
    if (!this.#daemon) return;
    this.count('the daemon died');
    this.daemonOffMs += offMs;
    this.#daemonLife?.die();
    this.#daemon = undefined;
    const isKilled = random.happens(0.7);
    for (const line of this.#lines) this.#cut(line, true, isKilled);
    this.later(offMs, () => this.startDaemon(skewMs));
  }

  /** A node dies, and comes back from its disk. @param offMs milliseconds until then */
  restartNode(machine: Machine, offMs: number): void {
    if (!machine.life) return;
    this.count('a node died');
    machine.offMs += offMs;
    machine.die();
    for (const line of this.#lines) {
      if (line.machine === machine) this.#cut(line, machine.random.happens(0.7), true);
    }
    this.later(offMs, () => {
      machine.skewMs = machine.random.between(-nodeSkewMs, nodeSkewMs);
      machine.start();
    });
  }

  /** The lines of a machine break. */
  cutLines(machine: Machine, daemonKnows: boolean, nodeKnows: boolean): void {
    this.count('a line broke');
    for (const line of this.#lines) if (line.machine === machine) this.#cut(line, daemonKnows, nodeKnows);
  }

  /** Each side learns of it at once, or finds out. */
  #cut(line: Line, daemonKnows: boolean, nodeKnows: boolean): void {
    if (line.isBroken) return;
    line.isBroken = true;
    line.wire.cut(daemonKnows, nodeKnows);
    if (!daemonKnows || !nodeKnows) this.later(keepaliveMs, () => line.wire.cut(true, true));
  }

  /** The operator wants a node to have a new certificate. */
  order(machine: Machine): void {
    if (!this.#daemon) return;
    this.count('an order to renew');
    machine.orders += 1;
    const control = this.#daemon.container.resolve(tokens.control);
    const operator = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
    const decision = { action: 'rotate', reason: 'as a precaution' } as const;
    this.#daemon.life
      .during(control.devices.decide(operator, machine.deviceId, decision))
      .catch((error: unknown) => this.violated(`the order failed: ${String(error)}`));
  }

  close(): void {
    this.#daemonLife?.die();
    for (const machine of this.machines) machine.die();
    rmSync(this.#disk.directory, { recursive: true, force: true });
  }

  /** How often a machine has come back without a certificate. */
  returnsOf({ deviceId }: Machine): number {
    const pairings = this.#daemon?.pairings.all() ?? [];
    return pairings.filter((pairing) => pairing.deviceId === deviceId && pairing.returning).length;
  }

  /** Whether a node has its session, and its line is whole. */
  isOnline(machine: Machine): boolean {
    const session = this.#daemon?.sessions.live(machine.deviceId);
    const isWhole = this.#lines.some((line) => line.machine === machine && !line.isBroken);
    return machine.isConnected && session !== undefined && isWhole;
  }

  /** How far time may go before somebody looks: far when all that runs is at rest. */
  #stride(): number {
    if (!this.#daemon) return 10 * second;
    const isAtRest = this.machines.every((machine) => !machine.life || this.isOnline(machine));
    return isAtRest ? minute : second;
  }

  /** Lets everything happen that takes no time: until nothing has moved in two turns, or in one if nothing has moved at all. */
  async #settle(): Promise<void> {
    let quiet = 1;
    for (let turn = 0; quiet < 2; turn++) {
      if (turn > 200_000) throw new Error('Something goes on without end while no time passes');
      await turns(1);
      const moved = this.#pump();
      const isBusy = this.#isBusy();
      if (isBusy && !moved) await this.#ended.next();
      quiet = moved || isBusy ? 0 : quiet + 1;
    }
  }

  #isBusy(): boolean {
    return this.#daemonLife?.isBusy === true || this.machines.some(({ life }) => life?.isBusy);
  }

  #pump(): boolean {
    let moved = false;
    for (const { wire, isBroken } of this.#lines) {
      while (!isBroken && (wire.deliverUp() || wire.deliverDown())) moved = true;
    }
    this.#lines = this.#lines.filter(({ wire }) => !wire.isOver);
    return moved;
  }

  #diesHere(machine: Machine, where: string): boolean {
    if (!this.faults?.nodeDies(machine.random)) return false;
    this.count(`died ${where}`);
    this.restartNode(machine, machine.random.between(second, minute));
    return true;
  }

  #breaksHere(machine: Machine, { rpc, at }: CallStep): boolean {
    if (!this.faults) return false;
    if (at === 'answer' && this.faults.daemonDies(machine.random)) {
      this.count(`the daemon died when it had answered ${rpc}`);
      // Its clock is set back when it comes: what it has just issued must hold all the same.
      this.restartDaemon(second, -daemonSkewMs, machine.random);
      return true;
    }
    const breaks = this.faults.breaks(machine.random);
    if (breaks) this.count(`lost: ${at} of ${rpc}`);
    return breaks;
  }

  /** No certificate is refused, but that of a node that was away for longer than it lives. */
  #refused(machine: Machine, whose: 'daemon' | 'node', fault: Fault): void {
    this.count(`refused by TLS: ${whose} ${fault}`);
    if (whose === 'node' && fault === 'ended') return;
    machine.violated(`the certificate of the ${whose} is ${fault}`);
  }
}
