import type { Node } from '../../engine/node/node.js'
import { redactData } from '../../engine/shell/redact.js'
import type { Target } from '../../engine/task/context.js'
import { type Instance, requireInstance } from '../../project/instance.js'
import { type UsedService, usedServices } from '../../recipes/application.js'
import type { Backup } from '../../recipes/backups.js'
import { findingOf } from '../../recipes/doctor/finding.js'
import { servingNode } from '../../recipes/elsewhere.js'
import { balancersAmong, releaseNodes, runsProcesses, serves } from '../../recipes/followers.js'
import { attentionOf, isMixed, type Known, lookAt } from '../../recipes/status/look.js'
import { machine } from '../../recipes/status/machine.js'
import type { Attention } from '../../recipes/status/part.js'
import { statusParts } from '../../recipes/status/parts.js'
import { listBackups } from '../backup-script.js'
import { firstWebNode } from '../first-node.js'
import { History } from './history.js'
import { kept } from './node-watch.js'

/** What is known of an environment on one of its nodes. */
export interface InstanceView {
  readonly node: string
  /** What the node is to the environment: `web`, `processes`, `balancer`, `data for the others`. */
  readonly part: string
  /** The newest that is known, also of a node that has gone since. */
  readonly known: Known | undefined
  readonly problem: Attention | undefined
  readonly attention: readonly Attention[]
  /** Milliseconds that the site took, bytes of memory of its programs. */
  readonly history: History
}

/** What is known of an environment of the project. */
export interface EnvironmentView {
  /** As behind the colon. */
  readonly word: string
  readonly project: string
  /** Undefined for a project without overrides. */
  readonly environment: string | undefined
  /** The instance's name. */
  readonly instance: string
  readonly domain: string | undefined
  readonly nodes: readonly InstanceView[]
  /** Its nodes serve different releases. */
  readonly isMixed: boolean
  /** Those in S3, the newest first; undefined where none are made or not asked for yet. */
  readonly backups: readonly Backup[] | undefined
  /** Why they can't be listed. */
  readonly backupProblem: string | undefined
}

// The node itself is watched apart, whoever is on it.
const parts = statusParts.filter(({ name }) => name !== machine.name)

class InstanceWatch implements InstanceView {
  known: Known | undefined
  problem: Attention | undefined
  attention: readonly Attention[] = []
  readonly history = new History(kept)
  readonly node: string

  constructor(
    readonly on: Node,
    readonly part: string,
  ) {
    this.node = on.name
  }
}

/** Watches an environment on its nodes. */
export class EnvironmentWatch implements EnvironmentView {
  readonly word: string
  readonly instance: string
  readonly project: string
  readonly environment: string | undefined
  readonly domain: string | undefined
  readonly nodes: readonly InstanceWatch[]
  readonly place: Instance
  backups: readonly Backup[] | undefined
  backupProblem: string | undefined
  readonly #releaseNodes: readonly Node[]
  #services: Promise<readonly UsedService[]> | undefined

  constructor(readonly target: Target) {
    const instance = requireInstance(target)
    this.place = instance
    this.word = target.word
    this.instance = instance.name
    this.project = instance.project.name
    this.environment = instance.environment
    this.domain = instance.settings.domain
    this.#releaseNodes = releaseNodes(instance, target.nodes)
    const balancers = balancersAmong(target.nodes)
    const serving = servingNode(instance)?.name
    this.nodes = target.nodes.flatMap((node) => {
      const said = [
        ...(balancers.includes(node)
          ? ['balancer']
          : serves(node)
            ? ['web']
            : runsProcesses(instance, node)
              ? ['processes']
              : []),
        ...(node.name === serving ? ['data for the others'] : []),
      ]
      return said.length === 0 ? [] : [new InstanceWatch(node, said.join(', '))]
    })
  }

  get isMixed(): boolean {
    const holding = this.nodes.filter(({ on }) => this.#releaseNodes.includes(on))
    return isMixed(holding.flatMap(({ known }) => (known === undefined ? [] : [known.state])))
  }

  /** How it is on one of its nodes. */
  async look(of: InstanceView): Promise<void> {
    const instance = this.nodes.find((each) => each === of)
    if (instance === undefined) return
    try {
      this.#services ??= usedServices(this.place)
      const services = await this.#services
      const holdsReleases = this.#releaseNodes.includes(instance.on)
      const known = await lookAt({ instance: this.place, node: instance.on, word: this.word, services, holdsReleases }, parts)
      instance.known = { ...known, ...(redactData({ state: known.state, found: known.found }) as Pick<Known, 'state' | 'found'>) }
      instance.attention = attentionOf(instance.known, this.word)
      instance.problem = undefined
      instance.history.add({ at: Date.now(), values: valuesOf(known) })
    } catch (error) {
      const { what, next } = findingOf(error)
      instance.problem = { what, next }
    }
  }

  /** Which backups are in S3, where the node makes some. */
  async lookForBackups(): Promise<void> {
    if (this.place.settings.backup === undefined) return
    try {
      this.backups = await listBackups(firstWebNode(this.target), this.place)
      this.backupProblem = undefined
    } catch (error) {
      this.backupProblem = findingOf(error).what
    }
  }
}

function valuesOf({ found }: Known): Readonly<Record<string, number>> {
  const milliseconds = Object(found.site?.data).milliseconds
  const programs: unknown = found.programs?.data
  const memory = Array.isArray(programs)
    ? programs.reduce((sum, { kind, memory: own = 0 }) => (kind === 'cron' ? sum : sum + own), 0)
    : 0
  return { ...(typeof milliseconds === 'number' ? { milliseconds } : {}), ...(memory > 0 ? { memory } : {}) }
}
