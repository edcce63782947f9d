import { type Static, Type } from 'palyra-node-runtime/plugin';

const closed = { additionalProperties: false } as const;
const bytes = (description: string) => Type.Integer({ minimum: 0, description: `${description} Bytes.` });
const ratio = (description: string) =>
  Type.Number({ minimum: 0, maximum: 1, description: `${description} From 0 to 1.` });
const load = (minutes: number) =>
  Type.Number({ minimum: 0, description: `Tasks that ran or waited, on average over ${minutes} min.` });

const cpu = Type.Object(
  {
    cores: Type.Integer({ minimum: 1, description: 'Logical cores.' }),
    model: Type.Optional(Type.String({ description: 'What the processor calls itself.' })),
    busyRatio: Type.Optional(ratio('Share of all cores that was busy lately.')),
    loadAverage: Type.Optional(
      Type.Object(
        { oneMinute: load(1), fiveMinutes: load(5), fifteenMinutes: load(15) },
        { ...closed, description: 'Not on Windows.' },
      ),
    ),
  },
  { ...closed, description: 'Processors and their load.' },
);

const memory = Type.Object(
  {
    totalBytes: bytes('Physical memory.'),
    availableBytes: bytes('What programs can still get without swapping.'),
    swapTotalBytes: Type.Optional(bytes('Swap space.')),
    swapUsedBytes: Type.Optional(bytes('Swap space in use.')),
  },
  { ...closed, description: 'Memory of the machine, or of the container where that is known.' },
);

const disk = Type.Object(
  {
    mount: Type.String({ description: 'Where it is mounted.' }),
    device: Type.Optional(Type.String({ description: 'The device or volume.' })),
    type: Type.Optional(Type.String({ description: 'The file system, such as ext4.' })),
    sizeBytes: bytes('Its size.'),
    usedBytes: bytes('What is in use.'),
    usedRatio: ratio('Share in use.'),
  },
  closed,
);

const address = Type.Object(
  {
    interface: Type.String({ description: 'Name of the network interface.' }),
    address: Type.String({ description: 'The IP address.' }),
    family: Type.Enum(['IPv4', 'IPv6']),
    internal: Type.Boolean({ description: 'Whether it is a loopback address.' }),
  },
  closed,
);

const versions = Type.Object(
  {
    platform: Type.String({ description: 'As Node names it: linux, darwin, win32.' }),
    architecture: Type.String({ description: 'As Node names it: x64, arm64.' }),
    kernel: Type.String({ description: 'Release of the kernel.' }),
    operatingSystem: Type.Optional(
      Type.String({ description: 'Name and release, such as Debian GNU/Linux 12.' }),
    ),
    node: Type.String({ description: 'Version of Node.js.' }),
  },
  { ...closed, description: 'What the machine runs.' },
);

/** What `system.health` returns. Units stand in the names: bytes, seconds, ratios from 0 to 1. */
export const healthSchema = Type.Object(
  {
    collectedAt: Type.String({
      format: 'date-time',
      description: 'When, by the clock of the node (RFC 3339, UTC).',
    }),
    hostname: Type.String({ description: 'Name of the machine.' }),
    uptimeSeconds: Type.Number({ minimum: 0, description: 'Since the machine started. Seconds.' }),
    cpu,
    memory,
    disks: Type.Optional(
      Type.Array(disk, {
        maxItems: 256,
        description: 'Mounted file systems of a known size. Absent if unknown.',
      }),
    ),
    network: Type.Array(address, { maxItems: 512, description: 'Addresses of all interfaces that are up.' }),
    versions,
  },
  closed,
);

export type Health = Static<typeof healthSchema>;
export type Disk = Static<typeof disk>;
export type Address = Static<typeof address>;
