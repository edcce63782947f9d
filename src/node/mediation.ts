/** One question to the person at the node. */
export interface MediationRequest {
  readonly dispatchId: string;
  readonly capability: string;
  readonly caller: string;
  readonly input: unknown;
  readonly timeoutMs: number;
}

export type MediationAnswer = (allowed: boolean, reason: string) => void;

/** Asks the person at the node. `signal` aborts when nobody needs the answer any more. Silence is no answer. */
export interface Mediator {
  ask(request: MediationRequest, signal: AbortSignal, answer: MediationAnswer): void;
  close(): void;
}

/** Why a question is answered with no where nobody can be asked. */
const nobody = 'nobody is at this node to ask: run it in a terminal';

/** For a host without anybody in front of it: says no at once and why. */
export const absentMediator: Mediator = {
  ask: (_request, _signal, answer) => answer(false, nobody),
  close: () => {},
};

/**
 * Asks through a pair of streams of JSON lines: the question goes out with `say`, the answer comes back as
 * `{"answer":"allow"|"deny","dispatchId":"…"}`. For programs that run a node host with `--json`. When the input ends,
 * nobody is there any more.
 */
export function streamMediator(
  input: AsyncIterable<Uint8Array | string>,
  say: (request: MediationRequest) => void,
  withdraw: (id: string) => void,
): Mediator {
  const open = new Map<string, MediationAnswer>();
  let isOver = false;
  const onLine = (line: string): void => {
    const message = parseAnswer(line);
    if (!message) return;
    const answer = open.get(message.dispatchId);
    open.delete(message.dispatchId);
    answer?.(message.answer === 'allow', '');
  };
  const onEnd = (): void => {
    isOver = true;
    for (const answer of open.values()) answer(false, nobody);
    open.clear();
  };
  // An input that is cut off is one that has ended.
  eachLine(input, onLine).then(onEnd, onEnd);
  return {
    ask: (request, signal, answer) => {
      if (isOver) {
        answer(false, nobody);
        return;
      }
      open.set(request.dispatchId, answer);
      const forget = (): void => {
        if (open.delete(request.dispatchId)) withdraw(request.dispatchId);
      };
      signal.addEventListener('abort', forget, { once: true });
      say(request);
    },
    close: onEnd,
  };
}

async function eachLine(
  input: AsyncIterable<Uint8Array | string>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const lines = (
      rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))
    ).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  }
}

function parseAnswer(
  line: string,
): { readonly answer: 'allow' | 'deny'; readonly dispatchId: string } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('answer' in value) || !('dispatchId' in value))
      return undefined;
    const { answer, dispatchId } = value;
    if ((answer !== 'allow' && answer !== 'deny') || typeof dispatchId !== 'string') return undefined;
    return { answer, dispatchId };
  } catch {
    return undefined;
  }
}

/** Asks one question at a time with `prompt`, in the order in which they came. For a person at a terminal. */
export function promptMediator(
  prompt: (request: MediationRequest, signal: AbortSignal) => Promise<boolean | undefined>,
): Mediator {
  let last: Promise<void> = Promise.resolve();
  return {
    ask: (request, signal, answer) => {
      last = last.then(async () => {
        if (signal.aborted) return;
        const allowed = await prompt(request, signal).catch(() => undefined);
        if (!signal.aborted && allowed !== undefined) answer(allowed, '');
      });
    },
    close: () => {},
  };
}
