import { kernelError } from './kernel-errors.js';

/** Refuses a limit of a supervisor or a crowd that is not a number from 0 up. `Infinity` means none. */
export function checkLimit(name: string, value: number | undefined): void {
  if (value === undefined || value >= 0) return;
  throw kernelError('bad_supervisor', `${name} is ${value}, not a number from 0 up`, {
    hint: 'Give a number from 0 up, or Infinity for no limit',
    details: { name },
  });
}

/** Refuses a wait of a supervisor that is not a number from 0 up, or never ends. */
export function checkWait(name: string, value: number | undefined): void {
  if (value === undefined || (value >= 0 && Number.isFinite(value))) return;
  throw kernelError('bad_supervisor', `${name} is ${value}, not a finite number from 0 up`, {
    hint: 'Give milliseconds from 0 up',
    details: { name },
  });
}
