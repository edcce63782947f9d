import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../../test/support/property-runs.js';
import { parseChildFrame } from './child-frame.js';
import { FrameChannel } from './frame-channel.js';
import { type FrameKind, frameLimit } from './frames.js';

interface Heard {
  readonly kind: FrameKind;
  readonly text: string;
}

/** A channel over a stream whose other side is the test: what it hears, and the bytes that it sends. */
function open() {
  const sent: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      done();
    },
  });
  const heard: Heard[] = [];
  const broken: string[] = [];
  const ends: true[] = [];
  const channel = new FrameChannel(stream, {
    frame: (kind, text) => heard.push({ kind, text: text.toString('utf8') }),
    end: () => ends.push(true),
    broken: (why) => broken.push(why),
  });
  return { stream, channel, heard, broken, ends, sent };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function bytesOf(frames: readonly Heard[]): Promise<Buffer> {
  const { channel, sent } = open();
  for (const { kind, text } of frames) channel.send(text, kind);
  await turn();
  return Buffer.concat(sent);
}

/** Gives bytes to a stream in pieces that end at the places given. */
async function feed(stream: Duplex, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    if (to > from) stream.push(bytes.subarray(from, to));
    from = to;
    await turn();
  }
}

const frame = fc.record({
  kind: fc.constantFrom(0, 1, 2) as fc.Arbitrary<FrameKind>,
  text: fc.string({ unit: 'grapheme', maxLength: 200 }),
});

it('hears what was sent, in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      async (frames, cuts) => {
        const { stream, heard, broken } = open();
        await feed(stream, await bytesOf(frames), cuts);
        expect(heard).toEqual(frames);
        expect(broken).toEqual([]);
      },
    ),
    { numRuns: propertyRuns(200) },
  );
});

it('takes any bytes without a throw, and nothing after those that are no frame', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (bytes, cuts) => {
        const { stream, heard, broken } = open();
        await feed(stream, Buffer.from(bytes), cuts);
        expect(broken.length).toBeLessThanOrEqual(1);
        for (const { kind, text } of heard) {
          expect([0, 1, 2]).toContain(kind);
          // Whatever was in it, reading it gives a frame of the protocol or nothing.
          parseChildFrame(kind, Buffer.from(text));
        }
        if (broken.length === 1) expect(stream.destroyed).toBe(true);
      },
    ),
    { numRuns: propertyRuns(300) },
  );
});

it.each([
  ['a length past the limit', Buffer.from([0xff, 0xff, 0xff, 0xff, 0]), 'a frame of 4294967295 bytes'],
  ['a kind that there is not', Buffer.from([0, 0, 0, 0, 3]), 'a frame of the unknown kind 3'],
])('ends at %s', async (_, bytes, why) => {
  const { stream, heard, broken } = open();
  stream.push(Buffer.concat([await bytesOf([{ kind: 0, text: 'first' }]), bytes]));
  await turn();
  expect(heard).toEqual([{ kind: 0, text: 'first' }]);
  expect(broken).toEqual([why]);
});

it('takes a frame as large as may be', async () => {
  const { stream, heard } = open();
  const text = 'x'.repeat(frameLimit);
  stream.push(await bytesOf([{ kind: 0, text }]));
  await turn();
  expect(heard[0]?.text).toHaveLength(frameLimit);
});

it('says once that the other side is gone, and loses what is sent to it then', async () => {
  const { stream, channel, ends } = open();
  stream.push(null);
  await turn();
  stream.destroy();
  await turn();
  channel.send('into the void');
  expect(ends).toEqual([true]);
});
