import type { AppError } from '../../kernel/errors.js';
import { pointerTo } from '../../plugins/json-pointer.js';
import { httpError } from './http-errors.js';
import { jsonErrorPosition } from './json-position.js';

/** Deeper JSON would exhaust the stack of what walks it later. */
const maxDepth = 128;

/** Keys with which a body could reach the prototype of an object. */
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses the body of a request.
 *
 * @throws AppError `http.malformed_body` with line and column for what is not JSON, and with the JSON pointer for what is
 *   nested too deeply, has a key that could reach a prototype, or a number that is read as infinity.
 */
export function parseJsonBody(source: string): unknown {
  if (source.trim() === '') throw malformed('The body is empty', 'Send a JSON object.');
  let body: unknown;
  try {
    body = JSON.parse(source);
  } catch {
    const place = jsonErrorPosition(source);
    const where = place === undefined ? '' : ` from line ${place.line}, column ${place.column} on`;
    throw malformed(
      `The body is not JSON${where}`,
      'Names and texts stand in double quotes, nothing follows the last value.',
    );
  }
  checkShape(body);
  return body;
}

function checkShape(body: unknown): void {
  const open: { readonly value: object; readonly pointer: string; readonly depth: number }[] = [];
  const visit = (value: unknown, pointer: string, depth: number): void => {
    if (typeof value === 'object' && value !== null) open.push({ value, pointer, depth });
    if (isInfinite(value)) throw refusedAt(pointer, 'is a number beyond ±1.797e308, which can not be kept');
  };
  visit(body, '', 1);
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, pointer, depth } = item;
    if (depth > maxDepth) throw refusedAt(pointer, `is nested more than ${maxDepth} levels deep`);
    if (Array.isArray(value)) {
      for (const [at, below] of value.entries()) {
        if (isWorthAVisit(below)) visit(below, pointerTo(pointer, at), depth + 1);
      }
      continue;
    }
    for (const [key, below] of Object.entries(value)) {
      if (forbidden.has(key))
        throw refusedAt(pointerTo(pointer, key), `uses the name '${key}', which is not allowed`);
      if (isWorthAVisit(below)) visit(below, pointerTo(pointer, key), depth + 1);
    }
  }
}

/** JSON has no infinity: what reads `1e999` as one could not say again what it was given. */
function isInfinite(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

/** Of everything else no pointer is made: a body may hold very many plain values. */
function isWorthAVisit(value: unknown): boolean {
  return typeof value === 'object' || isInfinite(value);
}

function refusedAt(field: string, message: string): AppError {
  return httpError('malformed_body', `The body is refused: ${field.slice(0, 200)} ${message}`, {
    fields: [{ field: field.slice(0, 200), message }],
  });
}

function malformed(message: string, hint: string): AppError {
  return httpError('malformed_body', message, { hint });
}
