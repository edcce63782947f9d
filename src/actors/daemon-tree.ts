import { fromPromise } from 'xstate';
import { compile } from '../kernel/compile.js';
import { crowd } from '../kernel/crowd.js';
import type { Kernel } from '../kernel/kernel.js';
import { type SupervisorLogic, supervisor } from '../kernel/supervisor.js';
import {
  crowds,
  daemonParts,
  dispatchAddress,
  fanoutAddress,
  pairingAddress,
  sessionAddress,
} from './addresses.js';
import type { AuthorityInput } from './authority/behaviour.js';
import { authorityMachine } from './authority/machine.js';
import { type ServerCertificatePorts, serverCertificateMachine } from './authority/server-certificate.js';
import type { Dispatches } from './dispatch/dispatches.js';
import { dispatchMachine } from './dispatch/machine.js';
import type { Fanouts } from './fanout/fanouts.js';
import { fanoutMachine } from './fanout/machine.js';
import { pairingMachine } from './pairing/machine.js';
import type { Pairings } from './pairing/pairings.js';
import type { PruningPorts } from './pruning/behaviour.js';
import { pruningMachine } from './pruning/machine.js';
import { sessionMachine } from './session/machine.js';
import type { Sessions } from './session/sessions.js';

export interface DaemonTreeOptions {
  readonly kernel: Kernel;
  readonly sessions: Sessions;
  readonly pairings: Pairings;
  readonly dispatches: Dispatches;
  readonly fanouts: Fanouts;
  readonly serverCertificate: ServerCertificatePorts;
  readonly pruning: PruningPorts;
  /** What the actor of the CAs starts from, each time that it starts. */
  authority(): AuthorityInput;
  /** All actors that have a record run: nodes may come. Called after the start and after each restart of a crowd. */
  recovered(): void;
}

/** How long sessions have to say goodbye, milliseconds. Pairings and dispatches live on in their records and just stop. */
const goodbyeMs = 2_000;

/** Sessions have no record; so many of their latest transitions are kept to explain them. */
const remembered = 16;

/**
 * The daemon's actors:
 *
 *     root (rest_for_one)
 *     ├── sessions             one per connected node      session/<device>
 *     ├── pairings             one per open request        pairing/<id>
 *     ├── dispatches           one per unfinished dispatch dispatch/<id>
 *     ├── fanouts              one per fan-out that goes on fanout/<id>
 *     ├── recovery             starts all three from their records, at the start and after a restart
 *     ├── authority            the CAs, and the way from one to the next   authority
 *     ├── server-certificate   renews the daemon's own certificates
 *     └── pruning              deletes what ended long ago, or by order
 *
 * A restart of one crowd restarts those after it, so recovery always meets a fresh set.
 */
export function daemonTree(options: DaemonTreeOptions): SupervisorLogic {
  const { kernel, sessions, pairings, dispatches, fanouts } = options;
  return supervisor({
    kernel,
    strategy: 'rest_for_one',
    children: [
      {
        id: 'sessions',
        address: crowds.sessions,
        logic: crowd({
          kernel,
          name: 'sessions',
          logic: compile(sessionMachine),
          address: sessionAddress,
          remember: remembered,
          abandon: (deviceId) => sessions.abandon(deviceId),
          shutdownMs: goodbyeMs,
        }),
        restart: 'permanent',
        shutdown: goodbyeMs + 500,
      },
      {
        id: 'pairings',
        address: crowds.pairings,
        logic: crowd({
          kernel,
          name: 'pairings',
          logic: pairingMachine,
          address: pairingAddress,
          revive: (id, error) => pairings.revive(id, error),
          shutdownMs: 0,
        }),
        restart: 'permanent',
        shutdown: 'brutal',
      },
      {
        id: 'dispatches',
        address: crowds.dispatches,
        logic: crowd({
          kernel,
          name: 'dispatches',
          logic: compile(dispatchMachine),
          address: dispatchAddress,
          revive: (id, error) => dispatches.revive(id, error),
          abandon: (id, error) => dispatches.abandon(id, error),
          shutdownMs: 0,
        }),
        restart: 'permanent',
        shutdown: 'brutal',
      },
      {
        id: 'fanouts',
        address: crowds.fanouts,
        logic: crowd({
          kernel,
          name: 'fanouts',
          logic: compile(fanoutMachine),
          address: fanoutAddress,
          revive: (id) => fanouts.revive(id),
          abandon: (id, error) => fanouts.abandon(id, error),
          shutdownMs: 0,
        }),
        restart: 'permanent',
        shutdown: 'brutal',
      },
      {
        id: 'recovery',
        logic: fromPromise(async () => {
          pairings.recover();
          await dispatches.recover();
          await fanouts.recover();
          options.recovered();
        }),
        restart: 'transient',
        shutdown: 'brutal',
      },
      {
        id: 'authority',
        address: daemonParts.authority,
        logic: authorityMachine,
        input: () => options.authority(),
        restart: 'permanent',
        shutdown: 'brutal',
      },
      {
        id: 'server-certificate',
        logic: serverCertificateMachine,
        input: { ports: options.serverCertificate },
        restart: 'permanent',
        shutdown: 'brutal',
      },
      {
        id: 'pruning',
        address: daemonParts.pruning,
        logic: pruningMachine,
        input: { ports: options.pruning },
        restart: 'permanent',
        shutdown: 'brutal',
      },
    ],
  });
}
