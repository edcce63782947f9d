import { isTerminal } from '../../src/actors/dispatch/record.js';
import type { Dispatch } from '../../src/client/index.js';
import type { CountingInput } from './counting-plugins.js';
import type { ClientRequest, History } from './history.js';

/** The rules of docs/architecture.md, "What is written when", as they can be seen from outside. */
export const rules = {
  lost: 'what was answered with "accepted" is there',
  unfinished: 'everything has ended, and both sides have forgotten what was in flight',
  disagreement: 'the API and the file say the same, and an end says the same as its state',
  changed: 'an end that a caller was told never changes',
  twice: 'what may not be repeated is started at most once, for one dispatch and for one key',
  key: 'a key stands for one dispatch, whose row is beside it',
  'did not run': 'what succeeded has run to its end, and what is said to have started has',
  'ran all the same': 'what is said never to have started has not',
  'no reason': 'what may be repeated ran at least once, or ended in a state that says why not',
  invented:
    'nothing is cancelled that nobody wanted cancelled, fails that can not, or ran that nobody asked for',
} as const;
export type Rule = keyof typeof rules;

export interface Violation {
  readonly rule: Rule;
  /** The dispatch, or the token of the request where there is none. */
  readonly id: string;
  readonly message: string;
}

/** Holds what was seen against the rules. */
export function check(history: History): readonly Violation[] {
  const facts = new Facts(history);
  return [
    ...history.requests.flatMap((request) => ofRequest(request, facts)),
    ...history.dispatches.flatMap((dispatch) => ofDispatch(dispatch, facts)),
    ...ofFiles(history, facts),
    ...ofCounts(history, facts),
  ];
}

/** The history by what it is asked for. */
class Facts {
  readonly dispatches: ReadonlyMap<string, Dispatch>;
  readonly requests: ReadonlyMap<string, ClientRequest>;
  readonly stored: ReadonlyMap<string, string>;
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
    this.dispatches = new Map(history.dispatches.map((dispatch) => [dispatch.id, dispatch]));
    this.requests = new Map(history.requests.map((request) => [request.token, request]));
    this.stored = new Map(history.stored.map(({ id, state }) => [id, state]));
  }

  starts(token: string): number {
    return this.#history.counts.starts.get(token) ?? 0;
  }

  ends(token: string): number {
    return this.#history.counts.ends.get(token) ?? 0;
  }
}

export function tokenOf({ input }: Dispatch): string {
  return (input as CountingInput).token;
}

function ofRequest({ token, answers, key }: ClientRequest, facts: Facts): Violation[] {
  const found: Violation[] = [];
  for (const { id, state } of answers) {
    const dispatch = facts.dispatches.get(id);
    if (dispatch === undefined) {
      found.push({ rule: 'lost', id, message: `it was accepted for ${token} and is not there` });
    } else if (isTerminal(state) && dispatch.state !== state) {
      const message = `the caller was told ${state}, and it is ${dispatch.state}`;
      found.push({ rule: 'changed', id, message });
    }
  }
  const ids = new Set(answers.map(({ id }) => id));
  if (key !== undefined && ids.size > 1) {
    found.push({ rule: 'key', id: token, message: `its key stands for ${[...ids].join(' and ')}` });
  }
  return found;
}

function ofDispatch(dispatch: Dispatch, facts: Facts): Violation[] {
  const { id, state, outcome, resolution, repeatable, sentInEpoch } = dispatch;
  const token = tokenOf(dispatch);
  const starts = facts.starts(token);
  const found: Violation[] = [];
  const say = (rule: Rule, message: string): void => {
    found.push({ rule, id, message });
  };
  if (!isTerminal(state)) say('unfinished', `it is ${state}`);
  else if (outcome === undefined) say('disagreement', `it is ${state} without an outcome`);
  if (outcome !== undefined && outcome.state !== state) {
    say('disagreement', `it is ${state}, and its outcome says ${outcome.state}`);
  }
  if (facts.stored.get(id) !== state) {
    say('disagreement', `it is ${state}, and in the file ${facts.stored.get(id) ?? 'nowhere'}`);
  }
  if (!repeatable && starts > 1) say('twice', `its handler was started ${starts} times`);
  const ends = [outcome, resolution].filter((end) => end !== undefined);
  if (ends.some((end) => end.state === 'succeeded') && facts.ends(token) === 0) {
    say('did not run', `it succeeded; handlers started: ${starts}, ended: 0`);
  }
  if (starts === 0 && ends.some((end) => end.started === true && end.state !== 'outcome_unknown')) {
    say('did not run', `it is ${state} and started, and its handler was not`);
  }
  if (starts > 0 && ends.some((end) => end.started === false)) {
    say('ran all the same', `it is ${state} and not started; handlers started: ${starts}`);
  }
  if (starts > 0 && state === 'expired') say('ran all the same', 'it expired, and its handler was started');
  if (state === 'expired' && (dispatch.finishedAt ?? '') < dispatch.deliverBy) {
    say('no reason', `it expired at ${dispatch.finishedAt}, before ${dispatch.deliverBy}`);
  }
  if (repeatable && starts === 0 && isTerminal(state) && !saysWhyNot(dispatch)) {
    say('no reason', `it is ${state}, never ran and does not say why (sent in session ${sentInEpoch})`);
  }
  if (state === 'cancelled' && facts.requests.get(token)?.wantedCancelled !== true) {
    say('invented', 'it is cancelled, and nobody wanted that');
  }
  if (state === 'failed' || state === 'rejected') {
    say('invented', `it is ${state}, which no handler does: ${outcome?.error?.message}`);
  }
  return found;
}

/** Whether the end of a dispatch explains that it never ran. */
function saysWhyNot({ state, outcome }: Dispatch): boolean {
  if (state === 'cancelled' || state === 'expired' || state === 'timed_out') return true;
  return outcome?.reason !== undefined;
}

function ofFiles({ dispatches, stored, keys, atNode, requests }: History, facts: Facts): Violation[] {
  const found: Violation[] = [];
  for (const { id } of stored) {
    if (!facts.dispatches.has(id)) {
      found.push({ rule: 'disagreement', id, message: 'it is in the file, and the API does not tell it' });
    }
  }
  for (const { dispatchId, where } of atNode) {
    found.push({ rule: 'unfinished', id: dispatchId, message: `the node still has it in ${where}` });
  }
  const rows = new Set(keys);
  const keyed = new Map<string, string[]>();
  for (const { id, idempotencyKey } of dispatches) {
    if (idempotencyKey === undefined) continue;
    keyed.set(idempotencyKey, [...(keyed.get(idempotencyKey) ?? []), id]);
    if (!rows.has(id)) found.push({ rule: 'key', id, message: 'its key is not in the file' });
  }
  for (const [key, ids] of keyed) {
    if (ids.length > 1) found.push({ rule: 'key', id: key, message: `it stands for ${ids.join(' and ')}` });
  }
  for (const id of keys) {
    if (!facts.stored.has(id))
      found.push({ rule: 'key', id, message: 'a key stands for it, and it is gone' });
  }
  for (const { token, answers, gaveUp } of requests) {
    if (answers.length === 0 && gaveUp === undefined) {
      found.push({ rule: 'unfinished', id: token, message: 'its client has no answer' });
    }
  }
  return found;
}

/** What ran, held against what was asked for: also where the daemon has no record of it. */
function ofCounts({ counts, dispatches }: History, facts: Facts): Violation[] {
  const found: Violation[] = [];
  const recorded = new Set(dispatches.map(tokenOf));
  for (const [token, starts] of counts.starts) {
    const request = facts.requests.get(token);
    if (request === undefined) {
      found.push({ rule: 'invented', id: token, message: `it was started ${starts} times` });
    } else if (request.capability.startsWith('once') && starts > 1) {
      found.push({ rule: 'twice', id: token, message: `${request.capability} was started ${starts} times` });
    } else if (!recorded.has(token) && (request.key !== undefined || request.capability.startsWith('once'))) {
      found.push({
        rule: 'lost',
        id: token,
        message: 'it was started, may not be repeated and has no record',
      });
    }
  }
  return found;
}
