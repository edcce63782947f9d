import type { ConfigProblem, Origin } from '../../adapters/config/config-error.js';
import { isLoopback, parseEndpoint } from '../../adapters/config/endpoint.js';
import { parseDuration } from '../../kernel/duration.js';
import type { WrittenConfig } from './config-schema.js';

/** What is wrong although each option by itself is right. `locate` gives an option's place, undefined for a default. */
export function crossCheck(
  config: WrittenConfig,
  locate: (pointer: string) => Origin | undefined,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  // The two defaults agree, so at least one of the two options was written somewhere.
  const report = (pointer: string, other: string, message: string): void => {
    const own = locate(pointer);
    const origin = own ?? locate(other);
    if (origin !== undefined)
      problems.push({ origin, pointer: own === undefined ? other : pointer, message });
  };
  checkExposure(config, report);
  checkPorts(config, report);
  const { certificates, session } = config;
  const ordered = [
    ['/session/heartbeat', session.heartbeat, '/session/heartbeatMax', session.heartbeatMax],
    [
      '/certificates/deviceLifetime',
      certificates.deviceLifetime,
      '/certificates/caLifetime',
      certificates.caLifetime,
    ],
    [
      '/certificates/deviceLifetime',
      certificates.deviceLifetime,
      '/certificates/caOverlap',
      certificates.caOverlap,
    ],
    [
      '/certificates/serverLifetime',
      certificates.serverLifetime,
      '/certificates/caLifetime',
      certificates.caLifetime,
    ],
  ] as const;
  for (const [small, smallText, large, largeText] of ordered) {
    if (parseDuration(smallText) <= parseDuration(largeText)) continue;
    report(
      small,
      large,
      `contradicts: ${small} (${smallText}) should not be longer than ${large} (${largeText})`,
    );
  }
  return problems;
}

type Report = (pointer: string, other: string, message: string) => void;

/** Anyone who reaches the control plane without TLS can read its token off the wire. */
function checkExposure({ listen }: WrittenConfig, report: Report): void {
  const endpoint = parseEndpoint(listen.http.bind);
  if (endpoint === undefined || isLoopback(endpoint)) return;
  const message =
    `is ${listen.http.bind}, which others can reach, but the control plane has no TLS yet; ` +
    'bind it to 127.0.0.1, [::1] or localhost, and reach it from elsewhere through a tunnel';
  report('/listen/http/bind', '/listen/http/bind', message);
}

function checkPorts({ listen }: WrittenConfig, report: Report): void {
  const taken = new Map<string, string>();
  for (const name of ['http', 'enrollment', 'node'] as const) {
    const { bind } = listen[name];
    const pointer = `/listen/${name}/bind`;
    const other = taken.get(bind);
    if (other !== undefined && parseEndpoint(bind)?.port !== 0)
      report(pointer, other, `is the same address as ${other}`);
    taken.set(bind, pointer);
  }
}
