import os from 'node:os';
import type { PluginLog } from 'palyra-node-runtime/plugin';
import si from 'systeminformation';
import type { Address, Disk, Health } from './schema.js';

/**
 * Measures this machine. What a container or a platform hides is left out, with a line in the log: a missing figure is no
 * reason to fail.
 */
export async function collectHealth(log: PluginLog, signal: AbortSignal): Promise<Health> {
  const known = async <T>(what: string, measure: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await measure();
    } catch (thrown) {
      log.warn(`${what} could not be measured`, {
        error: thrown instanceof Error ? thrown.message : String(thrown),
      });
      return undefined;
    }
  };
  const [load, mem, disks, release] = await Promise.all([
    known('processor load', () => si.currentLoad()),
    known('memory', () => si.mem()),
    known('disks', () => si.fsSize()),
    known('operating system', () => si.osInfo()),
  ]);
  signal.throwIfAborted();
  const mounted = disks?.flatMap(toDisk).slice(0, 256);
  return {
    collectedAt: new Date().toISOString(),
    hostname: os.hostname(),
    uptimeSeconds: Math.round(os.uptime()),
    cpu: cpuOf(load),
    memory: memoryOf(mem),
    ...(mounted === undefined || mounted.length === 0 ? {} : { disks: mounted }),
    network: addresses(),
    versions: {
      platform: process.platform,
      architecture: process.arch,
      kernel: os.release(),
      ...(release?.distro ? { operatingSystem: `${release.distro} ${release.release}`.trim() } : {}),
      node: process.versions.node,
    },
  };
}

function cpuOf(load: si.Systeminformation.CurrentLoadData | undefined): Health['cpu'] {
  const [oneMinute = 0, fiveMinutes = 0, fifteenMinutes = 0] = os.loadavg();
  const model = os.cpus()[0]?.model.trim();
  const busy = load?.currentLoad;
  return {
    cores: Math.max(1, os.availableParallelism()),
    ...(model ? { model } : {}),
    ...(isCount(busy) ? { busyRatio: ratio(busy, 100) } : {}),
    ...(process.platform === 'win32' ? {} : { loadAverage: { oneMinute, fiveMinutes, fifteenMinutes } }),
  };
}

function memoryOf(mem: si.Systeminformation.MemData | undefined): Health['memory'] {
  const available = mem?.available;
  const swap = mem?.swaptotal;
  const swapUsed = mem?.swapused;
  return {
    totalBytes: isCount(mem?.total) ? Math.round(mem.total) : os.totalmem(),
    availableBytes: isCount(available) ? Math.round(available) : os.freemem(),
    ...(isCount(swap) ? { swapTotalBytes: Math.round(swap) } : {}),
    ...(isCount(swapUsed) ? { swapUsedBytes: Math.round(swapUsed) } : {}),
  };
}

function toDisk({ mount, fs, type, size, used }: si.Systeminformation.FsSizeData): Disk[] {
  if (!mount || !isCount(size) || size === 0 || !isCount(used)) return [];
  return [
    {
      mount,
      ...(fs ? { device: fs } : {}),
      ...(type ? { type } : {}),
      sizeBytes: Math.round(size),
      usedBytes: Math.round(used),
      usedRatio: ratio(used, size),
    },
  ];
}

function addresses(): Address[] {
  const found: Address[] = [];
  for (const [name, list] of Object.entries(os.networkInterfaces())) {
    for (const { address, family, internal } of list ?? [])
      found.push({ interface: name, address, family, internal });
  }
  return found.slice(0, 512);
}

/** To four places, within 0 and 1. */
function ratio(part: number, whole: number): number {
  return Math.min(1, Math.max(0, Math.round((part / whole) * 10_000) / 10_000));
}

/** A figure that was really measured: the library gives null or NaN for what it could not read. */
function isCount(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
