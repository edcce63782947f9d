import type { ServiceError } from '@grpc/grpc-js';
import { fromStatus, linkError } from './status.js';

const callLimitMs = 15_000;

/** The time limit of one call. */
export function callLimit(): { deadline: number } {
  return { deadline: Date.now() + callLimitMs };
}

/** One call as a promise. @throws AppError the peer's own where it sent one, else `link.*`. */
export function unaryCall<Reply>(
  call: (done: (error: ServiceError | null, reply?: Reply) => void) => void,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    call((error, reply) => {
      if (error) reject(fromStatus(error));
      else if (reply === undefined) reject(linkError('ended', 'The daemon answered with nothing'));
      else resolve(reply);
    });
  });
}
