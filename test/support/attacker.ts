import { type ChannelCredentials, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { digestOfSurface } from '../../src/actors/device/announcement.js';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { joinKeyFromSecret, parseJoinString } from '../../src/actors/identity/join-string.js';
import { proofStatement, signedStatement } from '../../src/actors/identity/transcript.js';
import { type PluginAnnouncement, protocolVersion } from '../../src/actors/link/frames.js';
import { registerToWire } from '../../src/adapters/grpc/codec.js';
import { type Decision, EnrollmentClient } from '../../src/adapters/grpc/enrollment-client.js';
import type { DaemonFrame__Output } from '../../src/adapters/grpc/gen/palyra/node/v1/DaemonFrame.js';
import type { NodeFrame } from '../../src/adapters/grpc/gen/palyra/node/v1/NodeFrame.js';
import type { RegisterNodeReply__Output } from '../../src/adapters/grpc/gen/palyra/node/v1/RegisterNodeReply.js';
import {
  fetchPinnedCa,
  pinnedChannelOptions,
  pinnedCredentials,
} from '../../src/adapters/grpc/pinned-channel.js';
import { NodeService } from '../../src/adapters/grpc/proto.js';
import { fromStatus } from '../../src/adapters/grpc/status.js';
import { AppError } from '../../src/kernel/errors.js';
import { hostFacts } from '../../src/node/host-facts.js';
import type { JoiningIdentity } from '../../src/node/identity-store.js';
import { bundledAnnouncement, type EnrolledDevice, type LocalDaemon } from './local-daemon.js';

/** The error with which something was refused. */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof AppError) return thrown;
  throw new Error(`It was not refused with an AppError: ${String(thrown)}`);
}

/** One connection to the enrolment port that makes each call of the protocol as its test says. */
export class EnrolmentAttacker {
  readonly client: EnrollmentClient;
  readonly credentials: ChannelCredentials;
  readonly #join: ReturnType<typeof parseJoinString>;

  private constructor(client: EnrollmentClient, credentials: ChannelCredentials, joinString: string) {
    this.client = client;
    this.credentials = credentials;
    this.#join = parseJoinString(joinString);
  }

  static async connect(local: LocalDaemon, joinString: string): Promise<EnrolmentAttacker> {
    const { caSha256 } = parseJoinString(joinString);
    const address = local.daemon.addresses.enrollment;
    const { caPem } = await fetchPinnedCa({ address, caSha256, timeoutMs: 5_000 });
    const credentials = pinnedCredentials({ caCertificates: [caPem] });
    const client = new EnrollmentClient(address, credentials, pinnedChannelOptions);
    return new EnrolmentAttacker(client, credentials, joinString);
  }

  async begin(
    identity: Pick<JoiningIdentity, 'publicKey' | 'csrDigest'>,
    plugins?: readonly PluginAnnouncement[],
    codeId: string = this.#join.codeId,
  ) {
    const announced = plugins ?? (await bundledAnnouncement());
    const surface = digestOfSurface(announced.flatMap((plugin) => plugin.descriptors));
    return this.client.begin({
      identityKey: identity.publicKey,
      csrDigest: identity.csrDigest,
      surfaceDigest: Buffer.from(surface, 'hex'),
      facts: hostFacts(),
      caSha256: this.#join.caSha256,
      method: { kind: 'join', codeId },
    });
  }

  /** The proof as an honest machine makes it, but for what is overridden. */
  proof(
    { attemptId, transcript }: { readonly attemptId: string; readonly transcript: Uint8Array },
    identity: JoiningIdentity,
    changes: Partial<Parameters<EnrollmentClient['prove']>[0]> = {},
  ): Parameters<EnrollmentClient['prove']>[0] {
    const statement = proofStatement(transcript);
    return {
      attemptId,
      csr: identity.csr,
      identitySignature: signEd25519(identity.identityKey, statement),
      joinSignature: signEd25519(joinKeyFromSecret(this.#join.secret.reveal()).privateKey, statement),
      ...changes,
    };
  }

  /** Begin and Prove as an honest machine. Returns the id of the pairing. */
  async prove(identity: JoiningIdentity, plugins?: readonly PluginAnnouncement[]): Promise<string> {
    return (await this.client.prove(this.proof(await this.begin(identity, plugins), identity))).pairingId;
  }

  async signed(rpc: string, pairingId: string, { identityKey, csrDigest }: JoiningIdentity, nonce?: Buffer) {
    const fresh = nonce ?? (await this.client.challenge());
    const statement = signedStatement({ rpc, subject: pairingId, csrDigest, nonce: fresh });
    return { pairingId, nonce: fresh, identitySignature: signEd25519(identityKey, statement) };
  }

  /** Waits for the decision; `pending` resolves when the daemon has said that it is pending. */
  wait(
    request: Awaited<ReturnType<EnrolmentAttacker['signed']>>,
    plugins: readonly PluginAnnouncement[],
    proposedName = 'attacker',
    signal: AbortSignal = new AbortController().signal,
  ): { readonly pending: Promise<void>; readonly decision: Promise<Decision> } {
    let onPending = (): void => {};
    const pending = new Promise<void>((resolve) => {
      onPending = resolve;
    });
    const decision = this.client.awaitDecision({ ...request, plugins, proposedName }, onPending, signal);
    decision.catch(() => undefined);
    return { pending, decision };
  }

  close(): void {
    this.client.close();
  }
}

/** A connection of an enrolled device to the node port that sends any frame. */
export class NodeAttacker {
  readonly client: InstanceType<typeof NodeService>;
  readonly #device: EnrolledDevice;

  constructor(local: LocalDaemon, device: EnrolledDevice) {
    const credentials = pinnedCredentials({
      caCertificates: device.membership.caCertificates,
      clientCert: { certificatePem: device.membership.certificate, privateKey: device.identity.tlsKey },
    });
    this.#device = device;
    this.client = new NodeService(local.daemon.addresses.node, credentials, pinnedChannelOptions);
  }

  /** Registers and returns the epoch. */
  async register(limitMs = 5_000): Promise<number> {
    const request = registerToWire({
      protocol: protocolVersion,
      deviceId: this.#device.identity.deviceId,
      facts: hostFacts(),
      plugins: await bundledAnnouncement(),
      clockMs: Date.now(),
    });
    return new Promise((resolve, reject) => {
      this.client.RegisterNode(
        request,
        new Metadata(),
        { deadline: Date.now() + limitMs },
        (error: ServiceError | null, reply?: RegisterNodeReply__Output) =>
          reply ? resolve(reply.epoch) : reject(error ? fromStatus(error) : new Error('No reply')),
      );
    });
  }

  /** A stream on which nothing has been said yet. */
  stream(): RawStream {
    return new RawStream(this.client.Events());
  }

  /** A stream that is live: Hello and Ready are said, with what else Hello is to hold. */
  async live(hello: Partial<NonNullable<NodeFrame['hello']>> = {}): Promise<RawStream> {
    const epoch = await this.register();
    const stream = this.stream();
    stream.write({ hello: { epoch, ticket: Buffer.alloc(0), ...hello } });
    await stream.welcomed;
    stream.write({ ready: {} });
    return stream;
  }

  close(): void {
    this.client.close();
  }
}

/** One stream of frames, as they are on the wire. */
export class RawStream {
  readonly frames: DaemonFrame__Output[] = [];
  readonly welcomed: Promise<Buffer>;
  /** The error with which the daemon ended it; undefined when it ended without one. */
  readonly ended: Promise<AppError | undefined>;
  readonly #call: ClientDuplexStream<NodeFrame, DaemonFrame__Output>;

  constructor(call: ClientDuplexStream<NodeFrame, DaemonFrame__Output>) {
    this.#call = call;
    this.welcomed = new Promise((resolve, reject) => {
      call.on('data', (frame: DaemonFrame__Output) => {
        this.frames.push(frame);
        if (frame.welcome) resolve(frame.welcome.ticket);
      });
      call.on('error', (error: ServiceError) => reject(fromStatus(error)));
    });
    this.ended = new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve(fromStatus(error)));
      call.on('end', () => resolve(undefined));
    });
    this.welcomed.catch(() => undefined);
  }

  get settled(): readonly string[] {
    return this.frames.flatMap((frame) => frame.settled);
  }

  get orders(): readonly string[] {
    return this.frames.flatMap((frame) => frame.dispatches.map((order) => order.dispatchId));
  }

  write(frame: NodeFrame): void {
    this.#call.write(frame);
  }

  /** Reads nothing more from the daemon. */
  pause(): void {
    this.#call.pause();
  }

  cancel(): void {
    this.#call.cancel();
  }
}
