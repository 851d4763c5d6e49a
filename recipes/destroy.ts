import type { Step } from '../engine/step/step.js'
import type { Place } from '../project/service.js'
import { noBackup } from './backup.js'
import { neverUndone } from './exchange.js'
import { removeHttps } from './https.js'
import { removeInstance } from './instance.js'
import { loadKinds } from './kinds.js'

/** Everything of an instance: processes, site, data of every service (also of those that have left kraftwerk.yaml), user, files. */
export async function destroyInstance(place: Place): Promise<readonly Step[]> {
  const [processes, site, ...rest] = removeInstance(place)
  const services = (await loadKinds('services')).flatMap((service) => service.destroy(place))
  return [processes, site, ...removeHttps(place), ...neverUndone(place), ...noBackup(place), ...services, ...rest].filter(
    (step) => step !== undefined,
  )
}
