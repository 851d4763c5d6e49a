import type { Instance } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import type { CreateRequest } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { secret } from '../../../engine/shell/secret.js'
import { generateHostKey } from '../../../engine/ssh/key-pair.js'
import { mine } from '../cloud/own-address.js'
import { arriveWithOwnKey } from '../cloud/own-key.js'
import { ownerOf } from '../cloud/owner.js'
import { stopIfAborted } from '../cloud/poll.js'
import { undoing } from '../cloud/undo.js'
import { userData } from '../cloud/user-data.js'
import { allocateAddress, associateAddress } from './address.js'
import type { Cloud } from './cloud.js'
import { explain } from './failures.js'
import { findGroup, makeGroup } from './group.js'
import { findImage } from './image.js'
import { awaitAddress, findInstance, isReady, launch, look, mark, markReady, refuseTwin } from './instance.js'
import { checkKey, importKey } from './key-pair.js'
import { letIn, sshFrom } from './let-in.js'
import { findNetwork } from './network.js'
import { type Made, ours, remove, removeLeftovers, removeRemains } from './removal.js'
import type { Settings } from './settings.js'
import { findSize } from './size.js'
import { stateOf } from './state.js'
import { type Identity, identity, tag, tagValue } from './tags.js'
import { type Given, givenTo } from './user-data.js'

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

/** Goes on with the instance that is remembered, whoever has made it; undefined where it is gone. */
export async function findKnown(job: Job, { id, made }: NodeRecord): Promise<NodeRecord | undefined> {
  const found = id === undefined ? undefined : await look(job.cloud, id)
  const isIt = stateOf(found) !== 'missing' && made?.id !== undefined && tagValue(found?.Tags, tag.id) === made.id
  if (found !== undefined && isIt) return adopt(job, found)
  // Another one takes its place in nodes.yaml, and nobody would ever remove what was beside it.
  if (stateOf(found) === 'missing' && made?.id !== undefined) await removeRemains(job.cloud, made.id)
  return undefined
}

async function make(job: Job): Promise<NodeRecord> {
  const { cloud, settings, request } = job
  const size = await findSize(cloud, settings.size_id)
  const image = await findImage(cloud, settings.image_id, size)
  const network = await findNetwork(cloud, settings)
  const who = identity(request.name, request.publicKey)
  // Its own group is opened to an address that is known before anything is made.
  const door = settings.securitygroup ?? (await sshFrom(who, settings))
  const made: Made = {}
  return orUndo(job, who, made, async () => {
    // A call that makes something is never cut off in the middle: its answer says what to remove.
    stopIfAborted(request.signal)
    if (settings.keyname === undefined) made.key = await importKey(cloud, who, request.publicKey)
    else await checkKey(cloud, settings.keyname)
    stopIfAborted(request.signal)
    const group =
      typeof door === 'string'
        ? await findGroup(cloud, door, network)
        : await makeGroup(cloud, who, { port: settings.port, from: door }, network, (id) => {
            made.group = id
          })
    const { publicKey, privateKey } = generateHostKey()
    const { login = image.login, port, disk } = settings
    const hostKey = { public: publicKey.split(' ', 2).join(' '), private: secret(privateKey, 'host key') }
    const firstBoot = userData({ node: who.node, login, port, publicKey: request.publicKey.trim(), hostKey })
    stopIfAborted(request.signal)
    const spot = settings.spot ? { price: settings.spot_price } : undefined
    request.progress(
      `Starting ${size.type} with ${image.name} in ${cloud.region}${spot === undefined ? '' : ' as a spot instance'}`,
    )
    const key = settings.keyname ?? made.key
    made.instance = await launch(cloud, { who, image, size, network, group, key, disk, spot, userData: firstBoot })
    return arrive(job, {
      who,
      instance: made.instance,
      made,
      given: { hostKey: hostKey.public, login },
      own: undefined,
      fresh: true,
      ready: false,
      fenced: typeof door !== 'string' && door.of !== undefined,
    })
  })
}

async function adopt(job: Job, instance: Instance): Promise<NodeRecord> {
  const { cloud, settings, request } = job
  const { InstanceId, State } = instance
  const id = tagValue(instance.Tags, tag.id)
  if (InstanceId === undefined || id === undefined) {
    throw new KraftError({
      kind: 'task',
      node: request.name,
      message: `${InstanceId ?? 'An instance'} bears this name but lost its tag ${tag.id}`,
      next: "Terminate it with AWS's own tools, or choose another name.",
    })
  }
  if (State?.Name === 'stopped' || State?.Name === 'stopping') {
    throw new KraftError({
      kind: 'task',
      node: request.name,
      message: `The instance ${InstanceId} with this name is stopped`,
      next: `Start it (${
        request.known === undefined ? `aws ec2 start-instances --instance-ids ${InstanceId}` : `kraft start:${request.name}`
      }) or terminate it, or choose another name.`,
    })
  }
  request.progress(`Found ${InstanceId}, which an earlier run started`)
  const given = await givenTo(cloud, InstanceId)
  if (given === undefined) {
    throw new KraftError({
      kind: 'task',
      node: request.name,
      message: `The user data of ${InstanceId} does not hold the host key that kraft gave it`,
      next: `If its disk has nothing that you need, remove it (aws ec2 terminate-instances --instance-ids ${InstanceId}) and provision it anew.`,
    })
  }
  const made = { ...(await ours(cloud, id)), instance: InstanceId }
  const who: Identity = { node: request.name, id, owner: ownerOf(request.publicKey) }
  const own = tagValue(instance.Tags, tag.hostKey)
  const { group } = made
  // Before its sshd is waited for: this machine may come from another address than the last time.
  const fenced = group !== undefined && (await letIn(cloud, { ...who, group, settings, progress: request.progress }))
  const found: Started = { who, instance: InstanceId, made, given, own, fresh: false, ready: isReady(instance), fenced }
  // One that was handed over stays, whatever happens: there may be data on it.
  return found.ready ? arrive(job, found) : orUndo(job, who, made, () => arrive(job, found))
}

/** An instance that was started, by this run or an earlier one. */
interface Started {
  readonly who: Identity
  readonly instance: string
  /** Grows by what is made only once the instance runs. */
  readonly made: Made
  readonly given: Given
  readonly own: string | undefined
  /** This run started it. */
  readonly fresh: boolean
  readonly ready: boolean
  /** Its group lets only known addresses in. */
  readonly fenced: boolean
}

async function arrive(job: Job, { who, instance, made, given, own, fresh, ready, fenced }: Started): Promise<NodeRecord> {
  const { cloud, settings, request } = job
  const { name, signal, progress } = request
  const { port } = settings
  progress(`Waiting for ${instance} to run`)
  const wantsOther = made.address !== undefined || (settings.elastic_ip && !ready)
  const first = await awaitAddress(cloud, name, instance, { signal, other: wantsOther })
  if (fresh) await refuseTwin(cloud, who, instance)
  stopIfAborted(signal)
  if (wantsOther) made.address ??= await allocateAddress(cloud, who)
  const { address: allocation, group, key } = made
  const address = allocation === undefined ? first : await associateAddress(cloud, name, allocation, instance)
  progress(`Waiting for sshd at ${address}`)
  const record = await arriveWithOwnKey({
    record: {
      name,
      provider: 'ec2',
      id: instance,
      address,
      ...(port === 22 ? {} : { port }),
      user: given.login,
      made: {
        id: who.id,
        region: cloud.region,
        ...(group === undefined ? {} : { group }),
        ...(key === undefined ? {} : { key }),
        ...(allocation === undefined ? {} : { address: allocation }),
        ...(fenced ? { allow_ssh: mine } : {}),
      },
    },
    given: given.hostKey,
    own,
    ready,
    request,
    mark: (made) => mark(cloud, instance, tag.hostKey, made),
  })
  await markReady(cloud, instance)
  return record
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
      const all = {
        instance: made.instance ?? found.instance,
        group: made.group ?? found.group,
        key: made.key ?? found.key,
        address: made.address ?? found.address,
      }
      await remove(cloud, who.node, all, request.progress)
    },
  })
}
