import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ControlServer, openControlServer } from '../../adapters/control/control-server.js';
import type { ServiceManager, ServiceState } from '../../adapters/service/service-manager.js';
import { systemClock } from '../../kernel/clock.js';
import { toAppError } from '../../kernel/errors.js';
import type { SessionStanding } from '../../node/host-standing.js';
import { systemContext } from '../system-context.js';
import { awaitSession } from './await-session.js';

let folder: string;
let server: ControlServer | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-await-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

const error = {
  code: 'link.unreachable',
  message: 'nobody there',
  category: 'unavailable',
  retryable: true,
} as const;

/** A host that says how it stands, as often as it is asked. */
async function hostThatIs(...states: readonly SessionStanding['state'][]): Promise<void> {
  server = await openControlServer({
    directory: folder,
    handlers: {
      watch: (_request, say, signal) => {
        for (const state of states) {
          const session: SessionStanding = {
            state,
            since: 0,
            capabilities: [],
            ...(state === 'starting' ? {} : { error }),
          };
          say({ pid: 1, version: '1', startedAt: 0, session });
        }
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve({})));
      },
    },
  });
}

function wait(timeoutMs: number, state: ServiceState = { state: 'running' }) {
  const manager = { state: async () => state } as ServiceManager;
  const context = { ...systemContext(), clock: systemClock };
  return awaitSession({ stateDirectory: folder, manager, since: 1_000, timeoutMs }, context).then(
    ({ session }) => session.state,
    (thrown: unknown) => toAppError(thrown),
  );
}

it('ends as soon as there is a session', async () => {
  await hostThatIs('starting', 'connecting', 'connected');
  expect(await wait(60_000)).toBe('connected');
});

it.each([
  ['refused', 'service.refused', 'policy', 60_000],
  ['expired', 'service.expired', 'precondition', 300],
  ['pairing', 'service.expired', 'precondition', 300],
  ['waiting', 'service.unreachable', 'unavailable', 300],
  ['connecting', 'service.unreachable', 'unavailable', 300],
  ['starting', 'service.not_connected', 'timeout', 300],
] as const)('says of a host that is %s: %s', async (state, code, category, timeoutMs) => {
  await hostThatIs(state);
  const thrown = await wait(timeoutMs);
  expect(thrown).toMatchObject({ code, category, details: { session: state } });
});

it('does not wait for a host that has ended, and says what it ended with', async () => {
  const line = (second: number, message: string) =>
    JSON.stringify({
      time: new Date(second * 1_000).toISOString(),
      event: 'failed',
      error: { ...error, code: 'state.exposed', category: 'precondition', message },
    });
  mkdirSync(join(folder, 'logs'));
  writeFileSync(join(folder, 'logs', 'node.log'), `torn{\n${line(0, 'long ago')}\n`);
  expect(await wait(200)).toMatchObject({ code: 'service.not_connected' });
  expect(await wait(60_000, { state: 'waiting', detail: 'exit-code' })).toMatchObject({
    code: 'service.not_started',
    message: 'The node host has ended again: exit-code',
  });
  writeFileSync(join(folder, 'logs', 'node.log'), `${line(2, 'just now')}\n`);
  expect(await wait(60_000, { state: 'stopped' })).toMatchObject({
    code: 'state.exposed',
    message: 'just now',
  });
});
