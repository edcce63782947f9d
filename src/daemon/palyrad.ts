#!/usr/bin/env node
import { run } from './main.js';

// A daemon that failed must not go on serving with what is still open (protocol.md 18), so the process ends here.
process.exit(await run(process.argv.slice(2), process));
