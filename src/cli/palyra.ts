#!/usr/bin/env node
import { runCli } from './run-cli.js';
import { systemContext } from './system-context.js';

process.exitCode = await runCli(process.argv.slice(2), systemContext());
