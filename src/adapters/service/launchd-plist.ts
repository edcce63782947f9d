import { requirePrintable } from './printable-text.js';
import type { ServiceSpec } from './service-manager.js';

/** launchd starts a program that ended again after this time, seconds. */
const throttleSeconds = 10;
/** launchd gives a program this much more than the program gives itself. */
const stopReserveMs = 5_000;

/**
 * A service as an agent of the user's launchd (launchd.plist(5)).
 *
 * @param label what launchd knows it by: `org.palyra.palyra-node`
 * @param path the PATH that its program has
 * @throws AppError `service.bad_path` for a text that can't stand in XML.
 */
export function renderPlist({ command, stopMs }: ServiceSpec, label: string, path: string): string {
  const exitSeconds = Math.ceil((stopMs + stopReserveMs) / 1000);
  const entries = [
    ['Label', string(label)],
    ['ProgramArguments', `<array>\n${command.map((word) => `      ${string(word)}\n`).join('')}    </array>`],
    ['EnvironmentVariables', `<dict>\n      <key>PATH</key>\n      ${string(path)}\n    </dict>`],
    ['RunAtLoad', '<true/>'],
    ['KeepAlive', '<true/>'],
    ['ThrottleInterval', `<integer>${throttleSeconds}</integer>`],
    ['ExitTimeOut', `<integer>${exitSeconds}</integer>`],
    ['ProcessType', string('Background')],
    // 0077
    ['Umask', '<integer>63</integer>'],
    ['StandardInPath', string('/dev/null')],
    ['StandardOutPath', string('/dev/null')],
    ['StandardErrorPath', string('/dev/null')],
  ] as const;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<!-- Written by `palyra node install`, which writes it anew. -->',
    '<plist version="1.0">',
    '  <dict>',
    ...entries.flatMap(([key, value]) => [`    <key>${key}</key>`, `    ${value}`]),
    '  </dict>',
    '</plist>',
    '',
  ].join('\n');
}

function string(text: string): string {
  requirePrintable(text, 'plist');
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<string>${escaped}</string>`;
}
