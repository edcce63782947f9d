import { describe, expect, it } from 'vitest';
import { renderPlist } from './launchd-plist.js';
import type { ServiceSpec } from './service-manager.js';

const spec: ServiceSpec = {
  name: 'palyra-node',
  description: 'Palyra node host',
  command: ['/opt/homebrew/bin/node', '/Users/ada/a & b/<palyra>.js', 'node', 'run', '--service'],
  stateDirectory: '/Users/ada/.local/state/palyra/node',
  stopMs: 18_500,
};

describe('an agent of launchd', () => {
  it('is kept alive from each session on, with its arguments as they are', () => {
    expect(renderPlist(spec, 'org.palyra.palyra-node', '/usr/bin:/bin')).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
      <!-- Written by \`palyra node install\`, which writes it anew. -->
      <plist version="1.0">
        <dict>
          <key>Label</key>
          <string>org.palyra.palyra-node</string>
          <key>ProgramArguments</key>
          <array>
            <string>/opt/homebrew/bin/node</string>
            <string>/Users/ada/a &amp; b/&lt;palyra&gt;.js</string>
            <string>node</string>
            <string>run</string>
            <string>--service</string>
          </array>
          <key>EnvironmentVariables</key>
          <dict>
            <key>PATH</key>
            <string>/usr/bin:/bin</string>
          </dict>
          <key>RunAtLoad</key>
          <true/>
          <key>KeepAlive</key>
          <true/>
          <key>ThrottleInterval</key>
          <integer>10</integer>
          <key>ExitTimeOut</key>
          <integer>24</integer>
          <key>ProcessType</key>
          <string>Background</string>
          <key>Umask</key>
          <integer>63</integer>
          <key>StandardInPath</key>
          <string>/dev/null</string>
          <key>StandardOutPath</key>
          <string>/dev/null</string>
          <key>StandardErrorPath</key>
          <string>/dev/null</string>
        </dict>
      </plist>
      "
    `);
  });

  it('can not be told what XML can not hold', () => {
    expect(() => renderPlist({ ...spec, command: ['/bin/node', 'a\u0001b'] }, 'label', '/bin')).toThrow(
      expect.objectContaining({ code: 'service.bad_path' }),
    );
  });
});
