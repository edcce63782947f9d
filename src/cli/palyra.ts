#!/usr/bin/env node
import { runCli } from './run-cli.js';
import { systemContext } from './system-context.js';

process.exitCode = await runCli(process.argv.slice(2), systemContext());
// Input that nobody will read any more must not keep the program alive.
process.stdin.destroy();
