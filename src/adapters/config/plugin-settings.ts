import { didYouMean } from '../../kernel/nearest.js';
import type { LoadedManifest } from '../../plugins/discovery.js';
import { pointerTo } from '../../plugins/json-pointer.js';
import { settingsErrors } from '../../plugins/settings.js';
import { ValidatorCache } from '../../plugins/validators.js';
import type { ConfigProblem, Origin } from './config-error.js';

/** Settings by the name of their plugin, as a config file has them. */
export type WrittenSettings = Readonly<Record<string, object>>;

/** What is wrong with the settings of one plugin. */
export interface SettingsProblem extends ConfigProblem {
  readonly plugin: string;
}

export interface SettingsCheck {
  readonly settings: WrittenSettings;
  readonly found: readonly LoadedManifest[];
  /** Names of plugins that may be on other machines only: their settings are checked there. */
  readonly elsewhere: Iterable<string>;
  /** Where a place of the configuration was written. */
  readonly locate: (pointer: string) => Origin;
}

/** Where settings stand in a config file. */
const place = '/plugins/settings';

/**
 * Checks settings against the schema that each plugin brings for its own; what is set for a plugin that nobody has heard of is a
 * problem too. The pointers lead to the values in the config file.
 */
export function settingsProblems(check: SettingsCheck): readonly SettingsProblem[] {
  const { settings, found, elsewhere, locate } = check;
  const validators = new ValidatorCache();
  const manifests = new Map(found.map(({ manifest }) => [manifest.name, manifest]));
  const known = new Set([...manifests.keys(), ...elsewhere]);
  return Object.entries(settings).flatMap(([plugin, given]): readonly SettingsProblem[] => {
    const at = pointerTo(place, plugin);
    const manifest = manifests.get(plugin);
    if (manifest !== undefined) {
      return settingsErrors(manifest, given, validators).map(({ field, message }) => {
        const pointer = at + field;
        return { plugin, origin: locate(pointer), pointer, message };
      });
    }
    if (known.has(plugin)) return [];
    const suggestion = didYouMean(plugin, known);
    const message = 'is set for a plugin that is neither installed nor enabled';
    return [{ plugin, origin: locate(at), pointer: at, message, ...(suggestion && { suggestion }) }];
  });
}
