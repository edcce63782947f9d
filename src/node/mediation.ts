import type { MediationAnswer, MediationRequest, Mediator } from '../actors/mediation/question.js';
import { parseDuration } from '../kernel/duration.js';
import { toAppError } from '../kernel/errors.js';

/** Why a question is answered with no where nobody can be asked. */
const nobody = { answer: 'nobody', reason: 'nobody is at this node to ask; run it in a terminal' } as const;

/** For a host without anybody in front of it: says at once that nobody is there. Remembered answers count all the same. */
export const absentMediator: Mediator = {
  atOnce: Number.POSITIVE_INFINITY,
  ask: (_request, _signal, answer) => answer(nobody),
  close: () => {},
};

/** What a program that answers questions is told. */
export interface StreamSayings {
  asked(request: MediationRequest): void;
  takenBack(dispatchId: string): void;
  /** A line that is no answer to an open question. */
  refused(message: string): void;
}

/**
 * Asks through a pair of streams of JSON lines: the question goes out by `asked`, the answer comes back as
 * `{"answer":"allow"|"deny","dispatchId":"…"}`, with `"remember":"1h"` when the same is to be allowed for so long. For
 * programs that run a node host with `--json`; they see all questions at once. When the input ends, nobody is there any more.
 */
export function streamMediator(input: AsyncIterable<Uint8Array | string>, say: StreamSayings): Mediator {
  const open = new Map<string, (answer: MediationAnswer) => void>();
  let isOver = false;
  const onLine = (line: string): void => {
    if (line.trim() === '') return;
    const message = parseAnswer(line);
    const answer = typeof message === 'string' ? undefined : open.get(message.dispatchId);
    if (typeof message === 'string') say.refused(message);
    else if (answer === undefined) say.refused('No question of that dispatch is open');
    else {
      open.delete(message.dispatchId);
      answer(message.answer);
    }
  };
  const onEnd = (): void => {
    isOver = true;
    for (const answer of open.values()) answer(nobody);
    open.clear();
  };
  // An input that is cut off is one that has ended.
  eachLine(input, onLine).then(onEnd, onEnd);
  return {
    atOnce: Number.POSITIVE_INFINITY,
    ask: (request, signal, answer) => {
      if (isOver) {
        answer(nobody);
        return;
      }
      open.set(request.dispatchId, answer);
      const forget = (): void => {
        if (open.delete(request.dispatchId)) say.takenBack(request.dispatchId);
      };
      signal.addEventListener('abort', forget, { once: true });
      say.asked(request);
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

/** An answer, or why a line is none. */
function parseAnswer(
  line: string,
): { readonly dispatchId: string; readonly answer: MediationAnswer } | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'A line on standard input is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'An answer is a JSON object';
  const { answer, dispatchId, remember } = value as Readonly<Record<string, unknown>>;
  if (typeof dispatchId !== 'string') return "'dispatchId' is missing";
  if (answer === 'deny') return { dispatchId, answer: { answer } };
  if (answer !== 'allow') return "'answer' must be allow or deny";
  if (remember === undefined) return { dispatchId, answer: { answer } };
  if (typeof remember !== 'string') return "'remember' must be a duration such as 1h";
  try {
    return { dispatchId, answer: { answer, rememberMs: parseDuration(remember, 'remember') } };
  } catch (thrown) {
    return toAppError(thrown).message;
  }
}

/** Asks one question at a time. For a person at a terminal, who has given up when there is no answer. */
export function promptMediator(
  prompt: (request: MediationRequest, signal: AbortSignal) => Promise<MediationAnswer>,
): Mediator {
  return {
    atOnce: 1,
    ask: (request, signal, answer) => {
      prompt(request, signal).then(
        (given) => {
          if (!signal.aborted) answer(given);
        },
        () => answer({ answer: 'nobody', reason: 'the terminal of this node can not be used' }),
      );
    },
    close: () => {},
  };
}
