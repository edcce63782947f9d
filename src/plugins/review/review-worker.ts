import { parentPort } from 'node:worker_threads';
import { isLoaded, type ReviewRequest, reviewDescriptor } from './reviewer.js';

// The program of the worker thread of `worker-reviewer.ts`: says that it is loaded, then gives one answer for each request.
parentPort?.on('message', (request: ReviewRequest) => parentPort?.postMessage(reviewDescriptor(request)));
parentPort?.postMessage(isLoaded);
