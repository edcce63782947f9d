import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/daemon/config/daemon-config.js';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { createKernel } from '../../src/kernel/kernel.js';
import type { KernelLog } from '../../src/kernel/log.js';
import { hostFacts } from '../../src/node/host-facts.js';
import { until } from '../until.js';
import { echoSurface } from './echo-surface.js';
import { eachLimited, enrolFleet } from './enrolment.js';
import { echoResponder, type Responder, SimulatedNode } from './simulated-node.js';

const operator = verifiedCaller({ kind: 'operator', name: 'test', role: 'admin' });
const quiet: KernelLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const count = 5;
const { deadlines } = createKernel();
let directory: string;
let daemon: Daemon;
let fleet: readonly SimulatedNode[];
let respond: Responder = echoResponder;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-load-test-'));
  const reading = readConfig({ env: {}, flags: { httpPort: '0', enrollPort: '0', nodePort: '0' } });
  daemon = await startDaemon({ reading, reread: () => reading, stateDirectory: directory, log: quiet });
  const { codes, pairings } = daemon.control;
  const minted = await Promise.all(Array.from({ length: count }, () => codes.mintJoin(operator, {})));
  const plugins = await echoSurface();
  const facts = hostFacts();
  let isDone = false;
  const enrolling = enrolFleet({ joinStrings: minted.map(({ joinString }) => joinString), plugins, facts });
  const approved = until('all approved', 20_000, async () => {
    const waiting = await pairings.list(operator, { states: ['pending_approval'], limit: count });
    for (const { id, transcript } of waiting.pairings) {
      await pairings.approve(operator, id, { transcript });
    }
    return isDone || undefined;
  });
  const enrolled = await enrolling.finally(() => {
    isDone = true;
  });
  await approved;
  fleet = enrolled.map(
    (node) =>
      new SimulatedNode({
        node,
        plugins,
        facts,
        deadlines,
        respond: (order, answer) => respond(order, answer),
      }),
  );
  await eachLimited(fleet, count, (node) => node.connect());
  await presence(count);
});

afterAll(async () => {
  for (const node of fleet) node.close();
  await daemon.stop('The test has ended');
  await rm(directory, { recursive: true, force: true });
});

/** Waits until exactly so many nodes are online. */
function presence(online: number): Promise<true> {
  return until(`${online} nodes online`, 10_000, async () => {
    const devices = await daemon.control.inventory.list(operator);
    return devices.filter(({ presence }) => presence === 'online').length === online || undefined;
  });
}

function echo(node: SimulatedNode, message: string) {
  return daemon.control.dispatches.create(operator, {
    node: node.deviceId,
    capability: 'echo',
    input: { message },
    wait: true,
  });
}

test('each simulated node is a device of its own and answers its own dispatches', async () => {
  expect(new Set(fleet.map(({ deviceId }) => deviceId)).size).toBe(count);
  const records = await Promise.all(fleet.map((node, index) => echo(node, `to ${index}`)));
  records.forEach((record, index) => {
    expect(record).toMatchObject({
      state: 'succeeded',
      deviceId: fleet[index]?.deviceId,
      outcome: { output: { message: `to ${index}` } },
    });
  });
  // A real node keeps a result until the daemon has it on disk; so does this one.
  await until('all settled', 5_000, () => fleet.every(({ unsettled }) => unsettled === 0) || undefined);
});

test('a result that could not be told goes out with the next session', async () => {
  const [node] = fleet as readonly [SimulatedNode];
  let taken = (): void => {};
  const received = new Promise<void>((resolve) => {
    taken = resolve;
  });
  let answerLater = (): void => {};
  respond = (order, answer) => {
    answerLater = () => echoResponder(order, answer);
    taken();
  };
  const dispatch = echo(node, 'kept');
  await received;
  node.close();
  await presence(count - 1);
  answerLater();
  expect(node.unsettled).toBe(1);
  respond = () => expect.unreachable('It was answered before: the daemon must not send it again');
  await node.connect();
  expect(await dispatch).toMatchObject({ state: 'succeeded', outcome: { output: { message: 'kept' } } });
  respond = echoResponder;
});
