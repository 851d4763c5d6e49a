import { KraftError } from '../../../engine/errors/failure.js'
import type { NodeWork } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { awaitHostKey } from '../cloud/host-key.js'
import { poll } from '../cloud/poll.js'
import { associateAddress } from './address.js'
import type { Cloud } from './cloud.js'
import { awaitAddress, look } from './instance.js'
import { stateOf } from './state.js'
import { tag, tagValue } from './tags.js'

/**
 * Starts the instance of a node that was stopped, and waits for its sshd to show a key that the node is known by. Without an Elastic IP
 * it has another address then: what is to be remembered of it is returned.
 */
export async function startInstance(
  cloud: Cloud,
  record: NodeRecord,
  { progress, signal }: Pick<NodeWork, 'progress' | 'signal'>,
): Promise<NodeRecord> {
  const { name, id = '', made, port = 22, host_keys: keys } = record
  // One that is just being stopped can't be started until it has.
  const found = await poll(
    async () => {
      const now = await look(cloud, id)
      return now?.State?.Name === 'stopping' ? undefined : { now }
    },
    { within: 300_000, signal },
  )
  const now = found?.now
  if (found === undefined || stateOf(now) === 'missing' || tagValue(now?.Tags, tag.id) !== made?.id) {
    throw new KraftError({
      kind: 'task',
      node: name,
      message: found === undefined ? `${id} does not come to its stop` : `${id} is gone from EC2`,
      next: found === undefined ? 'Try again' : `Forget it: kraft terminate:${name}; or make it anew: kraft provision ${name}`,
    })
  }
  if (stateOf(now) === 'stopped') {
    progress(`Starting ${id}`)
    await cloud.client.send(new cloud.sdk.StartInstancesCommand({ InstanceIds: [id] }))
  }
  const first = await awaitAddress(cloud, name, id, { signal, other: made?.address !== undefined })
  const address = made?.address === undefined ? first : await associateAddress(cloud, name, made.address, id)
  progress(`Waiting for sshd at ${address}`)
  await awaitHostKey({ node: name, address, port, keys, signal })
  return { ...record, address }
}
