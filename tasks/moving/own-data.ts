import type { Instance } from '../../project/instance.js'
import { usedServices } from '../../recipes/application.js'
import type { DataService } from '../../recipes/bundle.js'

/** The services whose data are on an instance's own node: what is elsewhere stays there, whoever uses it. */
export async function ownData(instance: Instance): Promise<readonly DataService[]> {
  return (await usedServices(instance)).flatMap(({ service, where }) =>
    service.data === undefined || where !== undefined ? [] : [{ service, data: service.data }],
  )
}
