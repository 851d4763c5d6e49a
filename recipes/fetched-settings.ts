import type { Instance } from '../project/instance.js'
import { settingPlace } from '../project/setting-place.js'
import { isReference } from '../project/vault.js'
import type { UsedService } from './application.js'
import { fetchAll } from './fetched.js'

/** Services with what vaults have of their settings. A dry run fetches nothing, and says where each would come from. */
export async function withFetchedSettings(
  services: readonly UsedService[],
  instance: Instance,
  dryRun: boolean,
  say: (text: string) => void,
): Promise<readonly UsedService[]> {
  const place = settingPlace(instance, ['services'])
  return Promise.all(
    services.map(async (used) => {
      const wanted = Object.entries(used.settings).flatMap(([key, reference]) =>
        isReference(reference) ? [{ name: `services.${used.service.name}.${key}`, place, reference, key }] : [],
      )
      if (dryRun) for (const { name, reference } of wanted) say(`${name}: from ${reference.vault}`)
      const values = dryRun ? wanted.map(({ reference }) => `from ${reference.vault}`) : await fetchAll(instance.project, wanted)
      return {
        ...used,
        settings: { ...used.settings, ...Object.fromEntries(wanted.map(({ key }, index) => [key, values[index]])) },
      }
    }),
  )
}
