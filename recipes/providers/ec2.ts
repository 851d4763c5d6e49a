import { KraftError } from '../../engine/errors/failure.js'
import { defineProvider, type ProviderSettings } from '../../engine/node/provider.js'
import type { NodeRecord } from '../../engine/node/record.js'
import { type Cloud, openCloud } from './ec2/cloud.js'
import { findKnown, findOrMake } from './ec2/create.js'
import { explain } from './ec2/failures.js'
import { look } from './ec2/instance.js'
import { missingOf } from './ec2/missing.js'
import { listImages, listNodes, listRegions, listSizes } from './ec2/offers.js'
import { ours, remove } from './ec2/removal.js'
import { type Settings, section, settingsOf } from './ec2/settings.js'
import { startInstance } from './ec2/start.js'
import { stateOf } from './ec2/state.js'
import { tag, tagValue } from './ec2/tags.js'

/** Instances of Amazon EC2, or of a cloud that speaks its language. */
export const provider = defineProvider({
  name: 'ec2',
  doc: 'A virtual machine at Amazon EC2',
  section,

  async create(request) {
    const settings = settingsOf(request.settings)
    const { name, known } = request
    // One that is there stays where it is, whatever the settings say now.
    const found =
      known === undefined
        ? undefined
        : await inCloud(name, settings, known.made?.region, (cloud) => findKnown({ cloud, settings, request }, known))
    return found ?? inCloud(name, settings, undefined, (cloud) => findOrMake({ cloud, settings, request }))
  },

  async describe(record, given) {
    return inCloud(record.name, settingsOf(given), record.made?.region, async (cloud) => {
      const instance = await look(cloud, idOf(record))
      return stateOf(instance)
    })
  },

  start: (record, work) =>
    inCloud(record.name, settingsOf(work.settings), record.made?.region, (cloud) =>
      startInstance(cloud, { ...record, id: idOf(record) }, work),
    ),

  async destroy(record, given, progress) {
    await inCloud(record.name, settingsOf(given), record.made?.region, async (cloud) => {
      const { id, group, key, address } = record.made ?? {}
      const instance = await look(cloud, idOf(record))
      if (stateOf(instance) !== 'missing' && (id === undefined || tagValue(instance?.Tags, tag.id) !== id)) {
        throw new KraftError({
          kind: 'task',
          node: record.name,
          message: `${idOf(record)} is not the instance that kraft made for this node: its tag ${tag.id} is not ${id ?? 'remembered'}`,
          next: "Correct the node's id in nodes.yaml, or terminate that instance with AWS's own tools.",
        })
      }
      progress(`Terminating ${idOf(record)}`)
      if (id !== undefined)
        await remove(cloud, record.name, await ours(cloud, id, { instance: record.id, group, key, address }), progress)
    })
  },

  list: (given) => asked(given, listNodes),
  images: (given) => asked(given, listImages),
  sizes: (given) => asked(given, listSizes),
  // Whoever asks which regions there are has none to tell; this one has every account.
  regions: (given) => asked(given, listRegions, 'us-east-1'),
  missing: (given) => missingOf(settingsOf(given), process.env),
})

function asked<Answer>(
  given: ProviderSettings,
  question: (cloud: Cloud) => Promise<Answer>,
  otherwise?: string,
): Promise<Answer> {
  return inCloud(undefined, settingsOf(given), undefined, question, otherwise)
}

function idOf(record: NodeRecord): string {
  if (record.id !== undefined) return record.id
  throw new KraftError({
    kind: 'task',
    node: record.name,
    message: 'It is not known which instance of EC2 this node is',
    next: "Set the node's id (i-…) in nodes.yaml.",
  })
}

async function inCloud<Result>(
  node: string | undefined,
  settings: Settings,
  region: string | undefined,
  work: (cloud: Cloud) => Promise<Result>,
  otherwise?: string,
): Promise<Result> {
  let cloud: Cloud | undefined
  try {
    cloud = await openCloud(settings, region, otherwise)
    return await work(cloud)
  } catch (error) {
    throw explain(error, { node, settings, region: cloud?.region ?? region ?? settings.location_id })
  } finally {
    cloud?.client.destroy()
  }
}
