import { randomBytes } from 'node:crypto';
import { sendToRenewal } from '../actors/addresses.js';
import type { Executions } from '../actors/execution/executions.js';
import { protocolVersion, type SurfaceVerdict } from '../actors/link/frames.js';
import type { UplinkPorts, UplinkStatus } from '../actors/uplink/behaviour.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Credentials } from './credentials.js';
import type { DaemonLink } from './daemon-link.js';
import type { DaemonTime } from './daemon-time.js';
import { hostFacts } from './host-facts.js';
import { isAboutCertificate, isDaemonsWord, isRefusal, isShutOut } from './link-errors.js';
import type { NodePlugins } from './node-plugins.js';
import type { Reporter } from './reporter.js';
import type { SessionTicket } from './session-ticket.js';

export interface UplinkParts {
  readonly kernel: Kernel;
  readonly link: DaemonLink;
  readonly ticket: SessionTicket;
  readonly executions: Executions;
  readonly credentials: Pick<Credentials, 'membership' | 'newest' | 'choose' | 'hasEnded' | 'hasOther'>;
  readonly daemonTime: DaemonTime;
  readonly plugins: Pick<NodePlugins, 'announced' | 'revision' | 'given' | 'lineStands'>;
  readonly report: Reporter;
}

/** What the node's line to its daemon works with: the link, its certificate, its executions. */
export function uplinkPorts(parts: UplinkParts): UplinkPorts {
  const { kernel, link, ticket, executions, credentials, daemonTime, plugins, report } = parts;
  const { clock, deadlines, directory, random, log } = kernel;
  // On no disk: it tells this process from one that runs from a copy of this directory.
  const instance = randomBytes(16);
  let turn = 0;
  const nextAddress = (): string => {
    const { nodeAddresses } = credentials.membership;
    return nodeAddresses[turn++ % nodeAddresses.length] ?? '';
  };
  return {
    deadlines,
    clock,
    random,
    backoff: jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 30_000, random }),
    connect: (handlers, attempt) => {
      const address = nextAddress();
      const { caCertificates } = credentials.membership;
      const credential = credentials.choose(attempt, daemonTime.now());
      report({ event: 'connecting', address, attempt: attempt + 1 });
      return link.openUplink(
        { address, caCertificates, credential },
        {
          clock,
          register: () => ({
            protocol: protocolVersion,
            deviceId: credentials.membership.deviceId,
            facts: hostFacts(),
            plugins: plugins.announced(),
            clockMs: clock.now(),
          }),
          hello: (epoch, surfaceDigest) => ({
            epoch,
            surfaceDigest,
            ticket: ticket.current(),
            inFlight: executions.inFlight(),
            instance,
          }),
        },
        {
          ...handlers,
          // Nothing runs by settings that the daemon has changed meanwhile.
          registered: (registered) => {
            void plugins.given(registered.settings).then(() => handlers.registered(registered));
          },
        },
      );
    },
    fingerprint: () => credentials.newest.fingerprint,
    offered: () => plugins.revision,
    hasEnded: () => credentials.hasEnded(daemonTime.now()),
    hasOther: (fingerprint) => credentials.hasOther(fingerprint, daemonTime.now()),
    isAboutCertificate,
    isDaemonsWord,
    needCertificate: () => sendToRenewal(directory, { type: 'certificate.refused' }),
    doubtCertificate: () => sendToRenewal(directory, { type: 'certificate.doubted' }),
    storeTicket: (next, done) =>
      ticket
        .replace(next)
        .then(done, (err: unknown) => log.error({ err }, 'The session ticket could not be written')),
    attach: (batch, daemonNow) => {
      daemonTime.note(daemonNow());
      executions.attach(batch, daemonNow);
    },
    detach: () => executions.detach(),
    receive: (order, age) => executions.receive(order, age),
    cancel: (order) => executions.cancel(order),
    settled: (ids) => executions.settled(ids),
    inFlight: () => executions.running,
    surface: ({ surface, settings }) => {
      report({ event: 'surface', capabilities: verdictsOf(surface) });
      void plugins.given(settings);
    },
    renew: (reason) => sendToRenewal(directory, { type: 'order', reason }),
    isRefusal,
    refused: (error) => {
      if (isShutOut(error)) executions.stop(error.message);
    },
    status: (status) => {
      reportStatus(status, report);
      // Whoever hands over has the old line until the new one lives.
      if (status.state === 'live') plugins.lineStands(status.offered);
      else if (status.state !== 'hand-over failed') plugins.lineStands(undefined);
      if (status.state === 'live') {
        sendToRenewal(directory, { type: 'line.live', fingerprint: status.fingerprint });
      } else if (status.state === 'hand-over failed' && status.error && isAboutCertificate(status.error)) {
        sendToRenewal(directory, { type: 'certificate.refused' });
      }
    },
  };
}

function verdictsOf(surface: readonly SurfaceVerdict[]) {
  return surface.map(({ capability, status }) => ({ capability, status }));
}

function reportStatus(status: UplinkStatus, report: Reporter): void {
  switch (status.state) {
    case 'live':
      report({
        event: 'connected',
        name: status.registered.name,
        epoch: status.registered.epoch,
        capabilities: verdictsOf(status.registered.surface),
      });
      break;
    case 'backoff': {
      const error = status.error?.toEnvelope();
      report({ event: 'disconnected', retryInMs: status.delayMs, ...(error === undefined ? {} : { error }) });
      break;
    }
    case 'resting':
      report({ event: 'refused', retryInMs: status.delayMs, error: status.error.toEnvelope() });
      break;
    case 'expired': {
      const error = status.error?.toEnvelope();
      report({ event: 'certificate_ended', ...(error === undefined ? {} : { error }) });
      break;
    }
    case 'hand-over failed': {
      const { error } = status;
      const event = error && isAboutCertificate(error) ? 'certificate_waits' : 'hand_over_failed';
      report({ event, ...(error === undefined ? {} : { error: error.toEnvelope() }) });
      break;
    }
    case 'connecting':
    case 'stopped':
      break;
  }
}
