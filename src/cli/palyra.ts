#!/usr/bin/env node
import { runCli } from './run-cli.js';
import { systemContext } from './system-context.js';

// Ends here, whatever is still open: an input that nobody reads any more, or a node host that can't write its journal.
process.exit(await runCli(process.argv.slice(2), systemContext()));
