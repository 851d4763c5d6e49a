import type { Instance } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import type { CreateRequest } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { secret } from '../../../engine/shell/secret.js'
import { generateHostKey } from '../../../engine/ssh/keys.js'
import { awaitHostKey } from '../cloud/host-key.js'
import { ownerOf } from '../cloud/owner.js'
import { stopIfAborted } from '../cloud/poll.js'
import { undoing } from '../cloud/undo.js'
import { userData } from '../cloud/user-data.js'
import type { Cloud } from './cloud.js'
import { explain } from './failures.js'
import { findGroup, makeGroup } from './group.js'
import { findImage } from './image.js'
import { awaitAddress, findInstance, isReady, launch, markReady } from './instance.js'
import { checkKey, importKey } from './key-pair.js'
import { type Made, ours, remove, removeLeftovers } from './removal.js'
import type { Settings } from './settings.js'
import { findSize } from './size.js'
import { type Identity, identity, tag, tagValue } from './tags.js'
import { hostKeyOf } from './user-data.js'

interface Job {
  readonly cloud: Cloud
  readonly settings: Settings
  readonly request: CreateRequest
}

/** Finds the instance with this name that the same person has, else makes one; undoes what it made when that fails. */
export async function findOrMake(job: Job): Promise<NodeRecord> {
  const { cloud, request } = job
  const owner = ownerOf(request.publicKey)
  const found = await findInstance(cloud, { node: request.name, owner })
  if (found !== undefined) return adopt(job, found)
  await removeLeftovers(cloud, { node: request.name, owner })
  return make(job)
}

async function make(job: Job): Promise<NodeRecord> {
  const { cloud, settings, request } = job
  const size = await findSize(cloud, settings.size_id)
  const image = await findImage(cloud, settings.image_id, size)
  const who = identity(request.name, request.publicKey)
  const made: Made = {}
  return orUndo(job, who, made, async () => {
    // A call that makes something is never cut off in the middle: its answer says what to remove.
    stopIfAborted(request.signal)
    if (settings.keyname === undefined) made.key = await importKey(cloud, who, request.publicKey)
    else await checkKey(cloud, settings.keyname)
    stopIfAborted(request.signal)
    const group =
      settings.securitygroup === undefined
        ? await makeGroup(cloud, who, settings, (id) => {
            made.group = id
          })
        : await findGroup(cloud, settings.securitygroup)
    const { publicKey, privateKey } = generateHostKey()
    const { login, port, disk } = settings
    const hostKey = { public: publicKey.split(' ', 2).join(' '), private: secret(privateKey, 'host key') }
    const firstBoot = userData({ node: who.node, login, port, publicKey: request.publicKey.trim(), hostKey })
    stopIfAborted(request.signal)
    request.progress(`Starting ${size.type} with ${image.name} in ${cloud.region}`)
    const key = settings.keyname ?? made.key
    made.instance = await launch(cloud, { who, image, size, group, key, disk, userData: firstBoot })
    return arrive(job, who.id, { ...made, instance: made.instance }, hostKey.public)
  })
}

async function adopt(job: Job, instance: Instance): Promise<NodeRecord> {
  const { cloud, request } = job
  const { InstanceId, State } = instance
  const id = tagValue(instance.Tags, tag.id)
  if (InstanceId === undefined || id === undefined) {
    throw new KraftError({
      kind: 'task',
      node: request.name,
      message: `${InstanceId ?? 'An instance'} bears this name but lost its tag ${tag.id}`,
    })
  }
  if (State?.Name === 'stopped' || State?.Name === 'stopping') {
    throw new KraftError({
      kind: 'task',
      node: request.name,
      message: `The instance ${InstanceId} with this name is stopped`,
      next: `Start it (aws ec2 start-instances --instance-ids ${InstanceId}) or terminate it, or choose another name.`,
    })
  }
  request.progress(`Found ${InstanceId}, which an earlier run started`)
  const hostKey = await hostKeyOf(cloud, InstanceId)
  if (hostKey === undefined) {
    throw new KraftError({
      kind: 'task',
      node: request.name,
      message: `The user data of ${InstanceId} does not hold the host key that kraft gave it`,
    })
  }
  const { group, key } = await ours(cloud, id)
  const made = { group, key, instance: InstanceId }
  if (isReady(instance)) return arrive(job, id, made, hostKey)
  const who: Identity = { node: request.name, id, owner: ownerOf(request.publicKey) }
  return orUndo(job, who, made, () => arrive(job, id, made, hostKey))
}

async function arrive(
  { cloud, settings, request }: Job,
  id: string,
  made: Made & { instance: string },
  hostKey: string,
): Promise<NodeRecord> {
  const { name, signal, progress } = request
  const { port, login } = settings
  progress(`Waiting for ${made.instance} to run`)
  const address = await awaitAddress(cloud, name, made.instance, signal)
  progress(`Waiting for sshd at ${address}`)
  await awaitHostKey({ node: name, address, port, key: hostKey, signal })
  await markReady(cloud, made.instance)
  return {
    name,
    provider: 'ec2',
    id: made.instance,
    address,
    ...(port === 22 ? {} : { port }),
    user: login,
    host_keys: [hostKey],
    made: {
      id,
      region: cloud.region,
      ...(made.group === undefined ? {} : { group: made.group }),
      ...(made.key === undefined ? {} : { key: made.key }),
    },
  }
}

async function orUndo(job: Job, who: Identity, made: Made, work: () => Promise<NodeRecord>): Promise<NodeRecord> {
  const { cloud, settings, request } = job
  return undoing(work, {
    node: who.node,
    progress: request.progress,
    explain: (error) => explain(error, { node: who.node, settings, region: cloud.region }),
    left: `Everything left bears the tag ${tag.id}=${who.id} in ${cloud.region}`,
    async remove() {
      // A call whose answer got lost may have made something after all; its tag tells.
      const found = await ours(cloud, who.id)
      const all = { instance: made.instance ?? found.instance, group: made.group ?? found.group, key: made.key ?? found.key }
      await remove(cloud, who.node, all, request.progress)
    },
  })
}
