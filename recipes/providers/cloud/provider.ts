import type { Section } from '../../../engine/config/section.js'
import type { Values } from '../../../engine/config/validate.js'
import { KraftError } from '../../../engine/errors/failure.js'
import { defineProvider, type Missing, type Provider, type ProviderSettings } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { bySize } from './choose.js'
import type { Cloud } from './cloud.js'
import { findOrMake } from './create.js'
import { explain, type Vendor } from './failures.js'
import { removeAll } from './removal.js'
import { type MachineSettings, type machineSection, requireSettings, settingsOf } from './settings.js'

/** What is behind a connection to a cloud. */
export interface Circumstances {
  /** Where a node was made, if that is already so. */
  readonly region?: string | undefined
  progress(line: string): void
}

/** What is particular about one cloud. */
export interface CloudSpec<S extends Section> {
  readonly name: string
  readonly doc: string
  /** What `machineSection` gives, and the credentials. */
  readonly section: S
  readonly vendor: Vendor
  missing(settings: Values<S>): readonly Missing[]
  open(settings: Values<S>, circumstances: Circumstances): Promise<Cloud>
}

/**
 * A provider of machines behind an HTTP API. Here is what they all do alike: a node that an earlier run made is found again by its
 * marks, a new one gets a host key that kraft knows, its sshd is waited for, and what was made is removed when something fails.
 */
export function cloudProvider<S extends ReturnType<typeof machineSection>>(spec: CloudSpec<S>): Provider {
  const { name, doc, section, vendor } = spec
  const read = (given: ProviderSettings) => settingsOf(name, section, given) as Values<S> & MachineSettings

  async function inCloud<Result>(
    given: ProviderSettings,
    about: Partial<Circumstances> & { readonly makes?: true },
    work: (cloud: Cloud, settings: Values<S> & MachineSettings) => Promise<Result>,
  ): Promise<Result> {
    const settings = read(given)
    // Where a node is to be counts only for one that is made: whoever asks which regions there are has none to tell.
    const needed = spec.missing(settings).filter(({ toMake }) => about.makes === true || toMake !== true)
    requireSettings(name, needed)
    try {
      return await work(await spec.open(settings, { progress: () => undefined, ...about }), settings)
    } catch (error) {
      throw explain(error, vendor)
    }
  }

  return defineProvider({
    name,
    doc,
    section,
    missing: (given) => spec.missing(read(given)),

    create(request) {
      return inCloud(request.settings, { progress: request.progress, makes: true }, (cloud, settings) =>
        findOrMake({ provider: name, vendor, cloud, settings, request }),
      )
    },

    describe(record, given) {
      return inCloud(given, placed(record), async (cloud) => (await cloud.machine(idOf(record, name)))?.state ?? 'missing')
    },

    destroy(record, given, progress) {
      return inCloud(given, { ...placed(record), progress }, async (cloud) => {
        const { id } = record.made ?? {}
        const machine = await cloud.machine(idOf(record, name))
        if (machine !== undefined && machine.state !== 'missing' && (id === undefined || machine.marks?.id !== id)) {
          throw new KraftError({
            kind: 'task',
            node: record.name,
            message: `${machine.id} is not the machine that kraft made for this node: its mark is ${machine.marks?.id ?? 'missing'}, not ${id ?? 'remembered'}`,
            next: `Correct the node's id in nodes.yaml, or remove that machine with ${vendor.title}'s own tools.`,
          })
        }
        if (id !== undefined) await removeAll(cloud, record.name, id, progress)
      })
    },

    list(given) {
      return inCloud(given, {}, async (cloud) => {
        const machines = await cloud.machines()
        return machines.map(({ id, name: node, state, address }) => ({
          name: node,
          id,
          state,
          ...(address === undefined ? {} : { address }),
        }))
      })
    },

    images: (given) => inCloud(given, {}, async (cloud) => (await cloud.images()).map(({ ref: _, ...image }) => image)),
    sizes: (given) =>
      inCloud(given, {}, async (cloud) => [...(await cloud.sizes())].sort(bySize).map(({ ref: _, ...size }) => size)),
    regions: (given) => inCloud(given, {}, (cloud) => cloud.regions()),
  })
}

function placed({ made }: NodeRecord): Partial<Circumstances> {
  return { region: made?.region }
}

function idOf(record: NodeRecord, provider: string): string {
  if (record.id !== undefined) return record.id
  throw new KraftError({
    kind: 'task',
    node: record.name,
    message: `It is not known which machine of ${provider} this node is`,
    next: "Set the node's id in nodes.yaml.",
  })
}
