import { userInfo } from 'node:os';
import type { RunTool } from '../../adapters/service/run-tool.js';

/**
 * Whether the systemd of this user runs while they are not logged in (loginctl(1)); undefined when nobody says.
 *
 * @example if ((await lingers(run)) === false) note(context, 'It runs while you are logged in.');
 */
export async function lingers(run: RunTool): Promise<boolean | undefined> {
  try {
    const { code, stdout } = await run('loginctl', [
      'show-user',
      userInfo().username,
      '--property=Linger',
      '--value',
    ]);
    const said = stdout.trim();
    return code === 0 && (said === 'yes' || said === 'no') ? said === 'yes' : undefined;
  } catch {
    return undefined;
  }
}
