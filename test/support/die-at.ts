import files from 'node:fs/promises';
import http2 from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

/*
 * Loaded into one of our programs before anything of it (`node --import`), this kills it by kill -9 at the moment that
 * PALYRA_TEST_DIE_AT names:
 *
 *   writing FILE    the next content of the file is on the disk under another name, and about to take its place
 *   written FILE    it has just taken its place
 *   answered RPC    the answer to the call has reached this process, and nothing of it has read it
 *
 * and a number for how many times the moment has to come, `written membership.json 2`. The program itself is the built one
 * and knows nothing of this: what it is given is another `rename` and another `connect`.
 */

const [moment = '', subject = '', times = '1'] = (process.env.PALYRA_TEST_DIE_AT ?? '').split(' ');
let left = Number(times);

function dieAt(what: string, of: string): void {
  if (what !== moment || of !== subject) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

const { rename } = files;
Object.assign(files, {
  rename: async (from: string, to: string): Promise<void> => {
    dieAt('writing', basename(to));
    await rename(from, to);
    dieAt('written', basename(to));
  },
});
syncBuiltinESMExports();

const { connect } = http2;
Object.assign(http2, {
  connect: (...args: Parameters<typeof connect>): http2.ClientHttp2Session => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers, options) => {
      const stream = request(headers, options);
      const path = headers && !Array.isArray(headers) ? String(headers[':path']) : '';
      stream.prependOnceListener('response', () => dieAt('answered', path.split('/').at(-1) ?? ''));
      return stream;
    };
    return session;
  },
});
