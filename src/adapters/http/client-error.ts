import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { AppError } from '../../kernel/errors.js';
import { errorReply } from './error-reply.js';
import { httpError } from './http-errors.js';

/** Answers what is no HTTP request at all, which never reaches a route, with the same envelope as everything else. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, body } = errorReply(asAppError(error.code), randomUUID());
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

function asAppError(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return httpError('headers_too_large', 'The headers of the request are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return httpError('request_timeout', 'The request did not arrive in time');
  return httpError('malformed_request', 'This is not an HTTP request');
}
