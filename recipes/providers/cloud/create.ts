import { KraftError } from '../../../engine/errors/failure.js'
import type { CreateRequest } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { secret } from '../../../engine/shell/secret.js'
import { choose } from './choose.js'
import type { Cloud, Machine } from './cloud.js'
import { explain, type Vendor } from './failures.js'
import { hostKeyOf, type Marks, markFor, markOfKey, nameOf, newHostKey, newId } from './marks.js'
import { arriveWithOwnKey } from './own-key.js'
import { poll, stopIfAborted } from './poll.js'
import { removeAll, removeLeftovers } from './removal.js'
import type { MachineSettings } from './settings.js'
import { undoing } from './undo.js'
import { userData } from './user-data.js'

/** One node that is asked for. */
export interface Job {
  readonly provider: string
  readonly vendor: Vendor
  readonly cloud: Cloud
  readonly settings: MachineSettings
  readonly request: CreateRequest
}

/** Finds the machine with this name that the same person has, else makes one; undoes what it made when that fails. */
export async function findOrMake(job: Job): Promise<NodeRecord> {
  const { cloud, request } = job
  const owner = markFor(request.name, request.publicKey)
  const { known } = request
  const isKnown = ({ id, marks }: Machine) => id === known?.id && marks !== undefined && marks.id === known?.made?.id
  const machines = (await cloud.machines()).filter(({ state }) => state !== 'missing')
  const remembered = machines.filter(isKnown)
  const [found, ...more] = remembered.length > 0 ? remembered : machines.filter(({ marks }) => marks?.for === owner)
  if (found?.marks === undefined) {
    await removeLeftovers(cloud, owner)
    return make(job, owner)
  }
  if (more.length > 0) {
    const ids = [found, ...more].map(({ id }) => id)
    throw refusal(job, `has several machines for this node: ${ids.join(', ')}`, 'Remove those that you do not need.')
  }
  request.progress(`Found ${found.id}, which an earlier run made`)
  // One that failed to start goes below, where its fault is told.
  if (found.state === 'stopped' && found.fault === undefined) {
    throw refusal(job, `has this node as ${found.id}, and it is stopped`, 'Start it or remove it there, or choose another name.')
  }
  const { marks } = found
  // One that was handed over stays, whatever happens: there may be data on it.
  if (marks.ready === true) return arrive(job, found.id, marks)
  return orUndo(job, marks, () => arrive(job, found.id, marks))
}

async function make(job: Job, owner: string): Promise<NodeRecord> {
  const { cloud, settings, request } = job
  const { image, size, region } = await choose(cloud, job.provider, settings)
  const { mark, publicKey, privateKey } = newHostKey()
  const marks: Marks = { for: owner, id: newId(), key: mark }
  const hostKey = { public: publicKey.split(' ', 2).join(' '), private: secret(privateKey, 'host key') }
  const { login, port } = settings
  const firstBoot = userData({ node: request.name, login, port, publicKey: request.publicKey.trim(), hostKey })
  return orUndo(job, marks, async () => {
    // A call that makes something is never cut off in the middle: its answer says what to remove.
    stopIfAborted(request.signal)
    request.progress(`Starting ${size.id} with ${image.name}${region === undefined ? '' : ` in ${region}`}`)
    const id = await cloud.launch({
      name: request.name,
      marks,
      image,
      size,
      region,
      userData: firstBoot,
      publicKey: request.publicKey.trim(),
    })
    return arrive(job, id, marks, true)
  })
}

async function arrive(job: Job, id: string, marks: Marks, fresh = false): Promise<NodeRecord> {
  const { provider, cloud, settings, request } = job
  const { name, signal, progress } = request
  progress(`Waiting for ${id} to run`)
  const machine = await running(job, id)
  stopIfAborted(signal)
  if (fresh) await refuseTwin(job, id, marks)
  const address = (await cloud.surround?.(machine, marks)) ?? machine.address
  if (address === undefined) {
    throw refusal(job, `gave ${id} no public address`, 'The network of the settings has to give one; see docs/providers.md.')
  }
  const { port, login } = settings
  const region = settings.location_id ?? cloud.region
  progress(`Waiting for sshd at ${address}`)
  let marked = marks
  const record = await arriveWithOwnKey({
    record: {
      name,
      provider,
      id,
      address,
      ...(port === 22 ? {} : { port }),
      user: login,
      made: { id: marks.id, ...(region === undefined ? {} : { region }) },
    },
    given: hostKeyOf(marks.key),
    own: marks.own === undefined ? undefined : hostKeyOf(marks.own),
    ready: marks.ready === true,
    request,
    async mark(own) {
      marked = { ...marks, own: markOfKey(own) }
      await cloud.mark(machine, marked)
    },
  })
  await cloud.mark({ ...machine, marks: marked }, { ...marked, ready: true })
  return record
}

/**
 * Refuses a new machine where the same person has another one of this name: two runs at once have found none, or the provider did not
 * list yet what a killed run had made. Ids tell no age here, so of two that see each other neither stays.
 */
async function refuseTwin(job: Job, id: string, { for: owner }: Marks): Promise<void> {
  const twin = (await job.cloud.machines()).find(
    (each) => each.id !== id && each.marks?.for === owner && each.state !== 'missing',
  )
  if (twin === undefined) return
  const next = `Once that run has ended: kraft provision ${job.request.name}`
  throw refusal(job, `has this node already as ${twin.id}: another run of kraft made it`, next)
}

async function running(job: Job, id: string): Promise<Machine> {
  const { cloud, request } = job
  const found = await poll(
    async () => {
      const machine = await cloud.machine(id)
      if (machine?.fault !== undefined) {
        throw refusal(job, `gave up on ${id}: ${machine.fault}`, 'Try again later, or with another size_id or location_id.')
      }
      if (machine?.state !== 'running') return undefined
      return machine.address !== undefined || cloud.surround !== undefined ? machine : undefined
    },
    { within: 600_000, signal: request.signal },
  )
  if (found !== undefined) return found
  throw refusal(job, `did not start ${id} within ten minutes`, 'Look at it there, then try again.')
}

function orUndo(job: Job, marks: Marks, work: () => Promise<NodeRecord>): Promise<NodeRecord> {
  const { cloud, request, vendor } = job
  return undoing(work, {
    node: request.name,
    progress: request.progress,
    explain: (error) => explain(error, vendor),
    // By the marks alone: a call whose answer got lost may have made something after all.
    remove: () => removeAll(cloud, request.name, marks.id, request.progress),
    left: `Everything left at ${vendor.title} bears the mark ${marks.id} (${nameOf(marks)})`,
  })
}

function refusal({ vendor, request }: Job, what: string, next?: string): KraftError {
  const message = `${vendor.title} ${what}`
  return new KraftError({ kind: 'task', node: request.name, message, ...(next === undefined ? {} : { next }) })
}
