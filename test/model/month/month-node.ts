import type { RenewalPorts } from '../../../src/actors/renewal/behaviour.js';
import type { KeySource } from '../../../src/adapters/pki/keys.js';
import { MemoryStore } from '../../../src/adapters/store/memory.js';
import type { Clock } from '../../../src/kernel/clock.js';
import { createKernel } from '../../../src/kernel/kernel.js';
import { Credentials } from '../../../src/node/credentials.js';
import { IdentityStore } from '../../../src/node/identity-store.js';
import { renewalPorts } from '../../../src/node/renewal-ports.js';
import type { NodeReport } from '../../../src/node/reporter.js';
import { startMemoryNode } from '../../../src/testing/memory-node.js';
import { clockOf } from '../../../src/testing/process-life.js';
import { silent } from '../samples.js';
import { type FileStep, ProcessFiles } from './files.js';
import { MemoryLink, type MemoryLinkOptions } from './link.js';
import { CountedStore, type Process } from './process.js';

/** What a node leaves behind when it dies. */
export class NodeDisk {
  readonly files = new Map<string, Buffer>();
  readonly store = new MemoryStore();
}

export interface MonthNodeOptions extends Omit<MemoryLinkOptions, 'kernel'> {
  readonly disk: NodeDisk;
  /** As it sees the time. */
  readonly clock: Clock;
  readonly keys: KeySource;
  /** A number in [0, 1). */
  random(): number;
  fileStep(step: FileStep): void;
  report(report: NodeReport): void;
  violated(rule: string): void;
}

/** What a node has on its disk of itself. */
export function identityOf({ life, disk, keys, fileStep }: IdentityParts): IdentityStore {
  const files = new ProcessFiles(life, disk.files, fileStep);
  return new IdentityStore(files, keys, files.secrets);
}

type IdentityParts = Pick<MonthNodeOptions, 'life' | 'disk' | 'keys' | 'fileStep'>;

/** Starts a node's actors from its disk, with its real certificates, over a link in memory. */
export async function startMonthNode(
  options: MonthNodeOptions,
): Promise<{ readonly credentials: Credentials }> {
  const { life, disk, random, report, violated } = options;
  const identityStore = identityOf(options);
  const identity = await identityStore.identity();
  const membership = await identityStore.readMembership();
  if (!membership) throw new Error('The node was never enrolled');
  const credentials = await Credentials.open(identityStore, identity, membership);
  const kernel = createKernel({ clock: clockOf(life, options.clock), log: silent, random });
  const link = new MemoryLink({ ...options, kernel });
  const { stop } = await startMemoryNode({
    life,
    kernel,
    store: new CountedStore(life, disk.store),
    plugins: { announced: () => [], given: async () => undefined, lineStands: () => undefined, revision: 0 },
    mediations: { abandon: () => undefined },
    host: {
      refusal: () => undefined,
      needsMediation: () => false,
      mediate: () => undefined,
      run: () => Promise.reject(new Error('Nothing is asked of this node')),
    },
    line: {
      link,
      credentials,
      renewal: (executions, daemonTime) =>
        counted(life, renewalPorts({ kernel, link, identity, credentials, executions, daemonTime, report })),
    },
    report,
    storeFailed: (error) => violated(`has a store that failed: ${String(error)}`),
  });
  life.onDeath(stop);
  return { credentials };
}

/** A renewal whose steps are under way until they end. */
function counted(life: Process, ports: RenewalPorts): RenewalPorts {
  return {
    ...ports,
    prepare: () => life.during(ports.prepare()),
    renew: () => life.during(ports.renew()),
    comeBack: (pending, signal) => life.during(ports.comeBack(pending, signal)),
    confirm: () => life.during(ports.confirm()),
    store: (grant) => life.during(ports.store(grant)),
  };
}
