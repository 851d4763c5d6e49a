import { KraftError } from '../engine/errors/failure.js'
import type { Instance } from '../project/instance.js'
import { usedServices } from '../recipes/application.js'
import type { DataService } from '../recipes/bundle.js'

/**
 * The services of an instance that have data, or those of them that were named, in the order in which they are dumped: databases before the
 * files that their rows name. Throws `usage` where nothing is left.
 */
export async function dataServices(instance: Instance, only: readonly string[]): Promise<readonly DataService[]> {
  const used = (await usedServices(instance)).flatMap(({ service }) =>
    service.data === undefined ? [] : [{ service, data: service.data }],
  )
  const all = [...used.filter(({ data }) => !data.namedByOthers), ...used.filter(({ data }) => data.namedByOthers)]
  const names = all.map(({ service }) => service.name)
  const unknown = only.find((name) => !names.includes(name))
  const chosen = only.length === 0 ? all : all.filter(({ service }) => only.includes(service.name))
  if (unknown === undefined && chosen.length > 0) return chosen
  throw new KraftError({
    kind: 'usage',
    message:
      unknown === undefined
        ? `${instance.name} has no service with data`
        : `${instance.name} has no service "${unknown}" with data`,
    next:
      names.length === 0 ? 'Add one to kraftwerk.yaml, for example: services: [postgres, files]' : `It has ${names.join(', ')}`,
  })
}
