import type { KeySource } from '../../../src/adapters/pki/keys.js';
import type { Clock } from '../../../src/kernel/clock.js';
import type { Credential, Credentials } from '../../../src/node/credentials.js';
import type { JoiningIdentity, Membership } from '../../../src/node/identity-store.js';
import type { NodeReport } from '../../../src/node/reporter.js';
import type { Wire } from '../../../src/testing/wire.js';
import type { FileStep } from './files.js';
import type { Fault } from './handshake.js';
import type { CallStep, DaemonPorts } from './link.js';
import { identityOf, NodeDisk, startMonthNode } from './month-node.js';
import { Process, type Signal, skewed } from './process.js';
import type { Random } from './random.js';

/** What a machine asks of the world that it is in. */
export interface Surroundings {
  readonly clock: Clock;
  /** Raised when a process has nothing under way any more. */
  readonly ended: Signal;
  daemon(): DaemonPorts | undefined;
  opened(wire: Wire, machine: Machine): void;
  refused(machine: Machine, whose: 'daemon' | 'node', fault: Fault): void;
  /** A node dies in the middle of something; `where` says of what. */
  diesHere(machine: Machine, where: string): boolean;
  /** The connection of a call breaks. */
  breaksHere(machine: Machine, step: CallStep): boolean;
  violated(rule: string): void;
}

/** A machine with a node on it: its disk, its clock, and the node that runs, if one does. */
export class Machine {
  readonly name: string;
  readonly random: Random;
  /** Milliseconds that its wall clock is ahead. */
  skewMs = 0;
  /** Whether the node says that it has a session. */
  isConnected = false;
  /** Since when it is without a session although it runs and the daemon does, monotonic. */
  outSince: number | undefined;
  /** The certificates that it has had, by fingerprint. */
  readonly had = new Set<string>();
  /** How often the operator ordered one. */
  orders = 0;
  /** How often it was off for longer than its certificate lives. */
  sleeps = 0;
  /** Milliseconds that it was off in all. */
  offMs = 0;
  readonly #world: Surroundings;
  readonly #disk = new NodeDisk();
  readonly #keys: KeySource;
  #identity: JoiningIdentity | undefined;
  #life: Process | undefined;
  #credentials: Credentials | undefined;
  readonly #latest: string[] = [];

  constructor(name: string, random: Random, keys: KeySource, world: Surroundings) {
    this.name = name;
    this.random = random;
    this.#keys = keys;
    this.#world = world;
  }

  /** The node that runs, or is starting. */
  get life(): Process | undefined {
    return this.#life?.dead === false ? this.#life : undefined;
  }

  get deviceId(): string {
    return this.#identity?.deviceId ?? '';
  }

  /** The machine's own clock. */
  get clock(): Clock {
    return skewed(this.#world.clock, () => this.skewMs);
  }

  /** The certificates that it could connect with, the newest first. Empty while no node runs. */
  get certificates(): readonly Credential[] {
    if (!this.life || !this.#credentials) return [];
    return [0, 1].map((attempt) => (this.#credentials as Credentials).choose(attempt, 0));
  }

  /** Makes the node's identity and the request that it joins with, as the first start of a host does. */
  async joining(): Promise<JoiningIdentity> {
    this.#identity = await this.#store(new Process(this.#world.ended)).joining();
    return this.#identity;
  }

  /** Gives it what an approved pairing gives. */
  enrol(membership: Membership): Promise<void> {
    return this.#store(new Process(this.#world.ended)).writeMembership(membership);
  }

  start(): void {
    this.#trace('start');
    const world = this.#world;
    const life = new Process(this.#world.ended);
    this.#life = life;
    const started = startMonthNode({
      life,
      disk: this.#disk,
      clock: this.clock,
      keys: this.#keys,
      random: () => this.random.next(),
      daemon: () => world.daemon(),
      opened: (wire) => world.opened(wire, this),
      refused: (whose, fault) => world.refused(this, whose, fault),
      fileStep: ({ name, at }) => this.#fileStep(life, { name, at }),
      step: (step) => {
        if (life.dead) return true;
        world.diesHere(this, `${at(step)} of ${step.rpc}`);
        return life.dead || world.breaksHere(this, step);
      },
      report: (report) => this.#note(report),
      violated: (rule) => this.violated(rule),
    });
    life.during(started).then(
      ({ credentials }) => {
        this.#credentials = credentials;
      },
      (error: unknown) => this.violated(`did not start: ${String(error)}`),
    );
  }

  die(): void {
    this.#trace('die');
    this.#life?.die();
    this.#credentials = undefined;
    this.isConnected = false;
    this.outSince = undefined;
  }

  violated(rule: string): void {
    this.#world.violated(`${this.name} ${rule}; before that:\n  ${this.#story}`);
  }

  /** The latest that it did, with the hours that its certificates had left: a month does not happen twice in quite the same way. */
  get #story(): string {
    return this.#latest.join('\n  ');
  }

  #trace(what: string, error = ''): void {
    const now = this.#world.clock.now();
    const day = (this.#world.clock.monotonic() / 86_400_000).toFixed(4);
    const left = this.certificates.map(({ notAfter }) => ((notAfter - now) / 3_600_000).toFixed(2));
    this.#latest.push(`day ${day}: ${what} ${error} ${left.join(' ')}`);
    if (this.#latest.length > 40) this.#latest.shift();
  }

  #fileStep(life: Process, step: FileStep): void {
    const what = /^(?:tls-.*\.key|request\.json|membership\.json)$/.exec(step.name)?.[0];
    if (what !== undefined && !life.dead) {
      this.#world.diesHere(this, `${step.at} ${what.replace(/^tls-.*/, 'a key')} is changed`);
    }
  }

  #note(report: NodeReport): void {
    this.#trace(report.event, 'error' in report ? report.error?.code : undefined);
    switch (report.event) {
      case 'connected':
        this.isConnected = true;
        break;
      case 'disconnected':
      case 'certificate_ended':
        this.isConnected = false;
        break;
      case 'refused':
      case 'pending_approval':
        this.violated(`needs an operator: ${JSON.stringify(report)}`);
        break;
      default:
        break;
    }
  }

  #store(life: Process) {
    return identityOf({ life, disk: this.#disk, keys: this.#keys, fileStep: () => undefined });
  }
}

function at({ at }: CallStep): string {
  return at === 'request' ? 'before the request' : 'at the answer';
}
