import { type ConfigOption, optionsOf, publishedSchema } from '../../adapters/config/option-schema.js';
import { configSchema } from './config-schema.js';

/** Every option, in the order of the schema. */
export const configOptions: readonly ConfigOption[] = optionsOf(configSchema);

/** The schema that editors complete `palyra.yaml` with. */
export function publishedConfigSchema(): object {
  return publishedSchema(configSchema);
}
