/** How a request failed before there was an answer. */
export interface NetworkFailure {
  /** Whether the server can have seen anything of the request. */
  readonly sent: boolean;
  readonly why: string;
}

/** Failures of system calls that come before the first byte of a request. */
const beforeConnection = new Set(['connect', 'getaddrinfo', 'queryA', 'queryAaaa']);

const reasons = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOTFOUND', 'the host name is unknown'],
  ['EAI_AGAIN', 'the host name could not be looked up'],
  ['EHOSTUNREACH', 'the host can not be reached'],
  ['ENETUNREACH', 'the network can not be reached'],
  ['UND_ERR_CONNECT_TIMEOUT', 'the host does not answer'],
  ['UND_ERR_SOCKET', 'the connection was closed'],
  ['UND_ERR_HEADERS_TIMEOUT', 'the server is silent'],
  ['ECONNRESET', 'the connection was closed'],
]);

/**
 * Reads what `fetch` throws: a TypeError whose cause tells the story in the words of Node's network layer. What is not
 * known to have failed before the connection stood counts as sent.
 */
export function networkFailure(thrown: unknown): NetworkFailure {
  const causes = causesOf(thrown);
  return {
    sent: !causes.every(neverSent),
    why: causes.map(describe).find((text) => text !== undefined) ?? 'the connection failed',
  };
}

interface SystemCause {
  readonly code?: string;
  readonly syscall?: string;
  readonly message?: string;
}

/** The cause; where several addresses of a host were tried, one for each. */
function causesOf(thrown: unknown): readonly SystemCause[] {
  const cause: unknown = thrown instanceof Error ? thrown.cause : undefined;
  if (cause instanceof AggregateError) return cause.errors as SystemCause[];
  return [(cause ?? {}) as SystemCause];
}

function neverSent({ code = '', syscall = '' }: SystemCause): boolean {
  // TLS fails before anything is said on it.
  return (
    beforeConnection.has(syscall) ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    /^(ERR_SSL_|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code)
  );
}

function describe({ code, message }: SystemCause): string | undefined {
  return reasons.get(code ?? '') ?? message;
}
