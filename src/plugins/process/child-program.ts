/**
 * The program in the process of a plugin. It talks to the node host over file descriptor 3 and ends with it: when the pipe
 * closes, it kills its process group, which is its own and holds whatever its handlers have started.
 */
import { Socket } from 'node:net';
import { ChildSession } from './child-session.js';

new ChildSession(new Socket({ fd: 3, readable: true, writable: true }), () => process.kill(0, 'SIGKILL'));
