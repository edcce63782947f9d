import type { DispatchForecast } from '../contract/dispatch-forecast.js';
import type { CliContext } from './context.js';
import { type ExitCode, exitCodeOfCategory, exitCodes } from './exit-codes.js';
import { type Colours, colours, errorLines, note, print } from './output.js';
import { printable } from './printable.js';
import { durationText, relativeTime } from './time-text.js';

/** Prints what a dry run found: what would happen on stdout; why it would be refused on stderr, as the error that it would be. */
export function printForecast(context: CliContext, forecast: DispatchForecast, now: number): void {
  const { stdout, stderr, env } = context;
  if (forecast.error) {
    const { message, hint, fields, details } = forecast.error;
    const error = { message, hint, fields: fields && [...fields], details };
    note(context, ...errorLines(colours(stderr, env), error));
  }
  print(context, ...forecastText(colours(stdout, env), forecast, now));
}

/** The exit code of a dry run: that of the error for what would be refused, else success. */
export function exitCodeOfForecast({ error }: DispatchForecast): ExitCode {
  return error === undefined ? exitCodes.ok : exitCodeOfCategory(error.category);
}

function forecastText(paint: Colours, forecast: DispatchForecast, now: number): readonly string[] {
  const { dispatch } = forecast;
  if (dispatch === undefined) return [`${paint.red('✗')} It would be refused. Nothing was done.`];
  const { timeoutMs, repeatable, idempotencyKey, mediationTimeoutMs } = dispatch;
  const asksLater = mediationTimeoutMs > 0 && forecast.verdict !== 'ask' && forecast.existing === undefined;
  return [
    `${paint.green('✓')} ${verdictText(forecast, dispatch, now)}`,
    ...(asksLater
      ? [`  Then the person at the node is asked, for at most ${durationText(mediationTimeoutMs)}.`]
      : []),
    `  It may run for ${durationText(timeoutMs)}, ${repeatable ? 'and more than once' : 'and is never started twice'}${
      idempotencyKey === undefined ? '' : `, under the key ${printable(idempotencyKey)}`
    }. Nothing was done.`,
  ];
}

function verdictText(
  { verdict, existing, ahead = 0 }: DispatchForecast,
  { nodeName, capability, deliverBy, mediationTimeoutMs }: NonNullable<DispatchForecast['dispatch']>,
  now: number,
): string {
  const what = printable(capability);
  const node = printable(nodeName);
  const until = relativeTime(deliverBy, now).replace(/^in /, '');
  switch (verdict) {
    case 'run':
      return `${what} would run now on ${node}.`;
    case 'ask':
      return `The person at ${node} would be asked now, for at most ${durationText(mediationTimeoutMs)}, whether ${what} may run.`;
    case 'wait':
      return `${what} would wait behind what ${node} has not done yet (${ahead} dispatches), for at most ${until}.`;
    case 'queue':
      return `${node} is offline: ${what} would be queued behind ${ahead} others, for at most ${until}.`;
    case 'existing': {
      const held = existing?.held ? ', until what its node offers is approved' : '';
      return `The key stands for dispatch ${existing?.id ?? ''} already, which is ${existing?.state ?? ''}${held}.`;
    }
    case 'refuse':
      return 'It would be refused.';
  }
}
