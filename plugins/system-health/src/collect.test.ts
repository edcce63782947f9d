import os from 'node:os';
import type { PluginLog } from 'palyra-node-runtime/plugin';
import si from 'systeminformation';
import { afterEach, expect, test, vi } from 'vitest';
import { compileSchema } from '../../../src/plugins/compile-schema.js';
import { collectHealth } from './collect.js';
import { healthSchema } from './schema.js';

afterEach(() => vi.restoreAllMocks());

function recorder() {
  const warnings: string[] = [];
  const ignore = () => undefined;
  const log: PluginLog = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (message) => warnings.push(message),
  };
  return { log, warnings };
}

const never = new AbortController().signal;
const valid = compileSchema(JSON.parse(JSON.stringify(healthSchema)));

test('the figures are those of this machine, in the units of their names', async () => {
  const health = await collectHealth(recorder().log, never);
  expect(valid(health)).toBe(true);
  expect(health.hostname).toBe(os.hostname());
  expect(Math.abs(health.uptimeSeconds - os.uptime())).toBeLessThan(60);
  expect(health.memory.availableBytes).toBeLessThanOrEqual(health.memory.totalBytes);
  expect(Math.abs(Date.parse(health.collectedAt) - Date.now())).toBeLessThan(60_000);
  for (const disk of health.disks ?? []) expect(disk.usedBytes).toBeLessThanOrEqual(disk.sizeBytes);
});

test('what the machine hides is left out, and the log says so', async () => {
  vi.spyOn(si, 'fsSize').mockRejectedValue(new Error('no df'));
  vi.spyOn(si, 'currentLoad').mockRejectedValue(new Error('no /proc'));
  vi.spyOn(si, 'mem').mockRejectedValue(new Error('no /proc'));
  vi.spyOn(si, 'osInfo').mockRejectedValue(new Error('no release'));
  const { log, warnings } = recorder();
  const health = await collectHealth(log, never);
  expect(valid(health)).toBe(true);
  expect([health.disks, health.cpu.busyRatio, health.versions.operatingSystem]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(health.memory.totalBytes).toBe(os.totalmem());
  expect(warnings).toHaveLength(4);
});

test('it stops when it is aborted', async () => {
  await expect(collectHealth(recorder().log, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
});
