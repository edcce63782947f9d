import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOfSurface } from '../../src/actors/device/announcement.js';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import { parseJoinString } from '../../src/actors/identity/join-string.js';
import { parsePinCode } from '../../src/actors/identity/pin-code.js';
import type { PluginAnnouncement } from '../../src/actors/link/frames.js';
import { privateDirectory } from '../../src/adapters/os/private-directory.js';
import { SecretFiles } from '../../src/adapters/secrets/secret-files.js';
import { readConfig } from '../../src/daemon/config/daemon-config.js';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import type { Clock } from '../../src/kernel/clock.js';
import type { KernelLog } from '../../src/kernel/log.js';
import { type EnrolmentInput, joinByPin, joinDaemon } from '../../src/node/enrolment.js';
import { hostFacts } from '../../src/node/host-facts.js';
import { IdentityStore, type JoiningIdentity, type Membership } from '../../src/node/identity-store.js';
import type { NodeReport } from '../../src/node/reporter.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import { descriptorDigest, descriptorOf } from '../../src/plugins/digest.js';
import { discoverPlugins } from '../../src/plugins/discovery.js';
import { preparedKeys } from './prepared-keys.js';

const silent = { info: () => {} };

export const admin = verifiedCaller({ kind: 'operator', name: 'test', role: 'admin' });

/** What the operator does with a request: `hold` leaves it pending. */
export type Decide = 'approve' | 'reject' | 'hold';

/** A line of the daemon's log. */
export interface LogLine {
  readonly level: keyof KernelLog;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A device that was enrolled over the real protocol. */
export interface EnrolledDevice {
  readonly identity: JoiningIdentity;
  readonly membership: Membership;
}

/** Port numbers as flags. */
interface Ports {
  readonly httpPort: string;
  readonly enrollPort: string;
  readonly nodePort: string;
}

/** A real daemon in this process: real TLS on loopback, real SQLite in a temporary directory. */
export class LocalDaemon {
  readonly directory: string;
  readonly log: LogLine[] = [];
  readonly #clock: Clock | undefined;
  #daemon: Daemon | undefined;

  private constructor(directory: string, clock: Clock | undefined) {
    this.directory = directory;
    this.#clock = clock;
  }

  /**
   * @param yaml the content of palyra.yaml
   * @param clock default: the machine's
   */
  static async start(yaml = '', clock?: Clock): Promise<LocalDaemon> {
    const local = new LocalDaemon(mkdtempSync(join(tmpdir(), 'palyra-local-')), clock);
    writeFileSync(local.#configFile, yaml === '' ? '{}\n' : yaml);
    await local.#run({ httpPort: '0', enrollPort: '0', nodePort: '0' });
    return local;
  }

  get daemon(): Daemon {
    if (!this.#daemon) throw new Error('The daemon is stopped');
    return this.#daemon;
  }

  get stateDirectory(): string {
    return join(this.directory, 'daemon');
  }

  /** Stops the daemon and starts it again on the same ports. `between` may change what is in its directory, and its file. */
  async restart(between: () => void = () => {}, yaml?: string): Promise<void> {
    const { http, enrollment, node } = this.daemon.addresses;
    const port = (address: string): string => address.split(':').at(-1) ?? '';
    await this.daemon.stop('The test restarts it');
    this.#daemon = undefined;
    between();
    if (yaml !== undefined) writeFileSync(this.#configFile, yaml);
    await this.#run({ httpPort: port(http), enrollPort: port(enrollment), nodePort: port(node) });
  }

  get #configFile(): string {
    return join(this.directory, 'palyra.yaml');
  }

  async #run(flags: Ports): Promise<void> {
    const write =
      (level: keyof KernelLog) =>
      (fields: object, message: string): void => {
        this.log.push({ level, fields: fields as LogLine['fields'], message });
      };
    const log: KernelLog = {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    };
    const read = () => readConfig({ file: this.#configFile, env: {}, flags });
    const clock = this.#clock;
    this.#daemon = await startDaemon({
      reading: read(),
      reread: read,
      stateDirectory: this.stateDirectory,
      log,
      keys: preparedKeys,
      ...(clock ? { clock } : {}),
    });
  }

  async mint(ttlMs?: number): Promise<string> {
    const options = ttlMs === undefined ? {} : { ttlMs };
    return (await this.daemon.control.codes.mintJoin(admin, options)).joinString;
  }

  /** A fresh identity in a directory of its own. */
  async identity(
    name: string,
  ): Promise<{ readonly store: IdentityStore; readonly identity: JoiningIdentity }> {
    const directory = mkdtempSync(join(this.directory, `${name}-`));
    const files = await SecretFiles.open(directory, undefined, silent);
    const store = new IdentityStore(privateDirectory(directory), preparedKeys, files);
    return { store, identity: await store.joining() };
  }

  /** Enrols a device with the bundled plugins; `decide` is what the operator does with its request. */
  async enrol(name: string, joinString?: string, decide: Decide = 'approve'): Promise<EnrolledDevice> {
    const { store, identity } = await this.identity(name);
    return this.enrolWith(store, identity, name, joinString ?? (await this.mint()), decide);
  }

  enrolWith(
    store: IdentityStore,
    identity: JoiningIdentity,
    name: string,
    joinString: string,
    decide: Decide = 'approve',
    signal: AbortSignal = new AbortController().signal,
  ): Promise<EnrolledDevice> {
    const join = parseJoinString(joinString);
    return this.#enrolBy((input) => joinDaemon(join, input), store, identity, name, decide, signal);
  }

  /** Mints a PIN and enrols a device with it. `address` is where the machine believes the daemon to be. */
  async enrolByPin(
    name: string,
    { pin, address }: { readonly pin?: string; readonly address?: string } = {},
  ): Promise<EnrolledDevice> {
    const { store, identity } = await this.identity(name);
    const invitation = {
      address: address ?? this.daemon.addresses.enrollment,
      code: parsePinCode(pin ?? (await this.daemon.control.codes.mintPin(admin, {})).pin),
    };
    return this.#enrolBy((input) => joinByPin(invitation, input), store, identity, name, 'approve');
  }

  async #enrolBy(
    join: (input: EnrolmentInput) => Promise<Membership>,
    store: IdentityStore,
    identity: JoiningIdentity,
    name: string,
    decide: Decide,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<EnrolledDevice> {
    const { pairings } = this.daemon.control;
    const plugins = await bundledAnnouncement();
    const surfaceDigest = Buffer.from(
      digestOfSurface(plugins.flatMap((plugin) => plugin.descriptors)),
      'hex',
    );
    const report = (event: NodeReport): void => {
      if (event.event !== 'pending_approval' || decide === 'hold') return;
      const decided = pairings.get(admin, event.pairingId).then(({ id, transcript }) => {
        const decision = { transcript, reason: 'test' };
        return decide === 'approve'
          ? pairings.approve(admin, id, { ...decision, name })
          : pairings.reject(admin, id, decision);
      });
      decided.catch(() => undefined);
    };
    const membership = await join({
      store,
      identity,
      plugins,
      surfaceDigest,
      facts: hostFacts(),
      report,
      signal,
    });
    return { identity, membership };
  }

  invoke(node: string, capability: string, input: unknown): Promise<DispatchRecord> {
    return this.daemon.control.dispatches.create(admin, { node, capability, input, wait: true });
  }

  async close(): Promise<void> {
    await this.#daemon?.stop('The test is over');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

let announced: Promise<readonly PluginAnnouncement[]> | undefined;

/** What a node with the bundled plugins says that it offers. */
export function bundledAnnouncement(): Promise<readonly PluginAnnouncement[]> {
  announced ??= discoverPlugins([bundledPlugins()]).then(({ plugins }) =>
    plugins.map(({ manifest }) => ({
      name: manifest.name,
      version: manifest.version,
      buildDigest: 'test',
      descriptors: manifest.capabilities.map((capability) => {
        const descriptor = descriptorOf(manifest, capability);
        return {
          digest: descriptorDigest(descriptor),
          capability: capability.name,
          descriptor: Buffer.from(JSON.stringify(descriptor)),
        };
      }),
    })),
  );
  return announced;
}
