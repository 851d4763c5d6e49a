import type { Query } from '../engine/cli/app.js'
import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import type { Inventory } from '../engine/node/inventory.js'
import type { Target } from '../engine/task/context.js'
import { type Instance, instanceOf } from './instance.js'
import { instanceSettings, type Project } from './settings.js'

/** What a word behind the colon is looked up in. */
export interface Known {
  readonly project: Project | undefined
  readonly inventory: Inventory
  /** `default_node`, of the project or of the admin. */
  readonly defaultNode: string | undefined
}

/**
 * Finds what a word behind the colon means: an environment of the project, else a node's name, which then means the one
 * environment that holds this node, else the project without overrides.
 *
 * @throws KraftError `usage` where nothing or several things fit, naming them.
 */
export function resolveTarget(query: Query, known: Known): Target {
  const { project } = known
  const needs = query.needs ?? (project === undefined ? 'nodes' : 'instance')
  const word = query.word ?? (needs === 'nothing' ? '' : defaultWord(query, needs, known))
  if (needs === 'nothing') return { word, nodes: [], project: undefined }
  if (needs === 'instance' && project === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `${query.task} needs a project, and there is no kraftwerk.yaml here or in a folder above`,
      next: 'Go to the folder of the project, or make one: kraft init NAME',
    })
  }
  if (project !== undefined && Object.hasOwn(project.environments, word)) {
    return inEnvironment(query, instanceOf(project, word), known)
  }
  const record = known.inventory.get(word)
  if (record === undefined) throw unknown(word, needs, known)
  const instance = project === undefined || needs === 'nodes' ? undefined : holder(project, word)
  return {
    word,
    nodes: [query.connect(record, instance === undefined ? 'every' : rolesOf(instance, word))],
    project: instance ?? (project === undefined || needs === 'nodes' ? undefined : instanceOf(project, undefined)),
  }
}

function inEnvironment(query: Query, instance: Instance, known: Known): Target {
  const { environment = '' } = instance
  const { nodes } = instance.settings
  if (nodes.length === 0) {
    throw new KraftError({
      kind: 'setting',
      place: instance.project.place(['environments', environment], 'key'),
      message: `the environment ${environment} has no nodes`,
      next: 'Add them, for example: nodes: [one]',
    })
  }
  const records = nodes.map(({ name }) => {
    const record = known.inventory.get(name)
    if (record !== undefined) return record
    throw new KraftError({
      kind: 'setting',
      place: instance.project.place(['environments', environment, 'nodes']),
      message: `the node ${name} is not known.${didYouMean(name, names(known))}`,
      next: `Make it (kraft provision ${name})${names(known).length === 0 ? '' : `, or name one of ${names(known).join(', ')}`}`,
    })
  })
  return {
    word: environment,
    nodes: records.map((record) => query.connect(record, rolesOf(instance, record.name))),
    project: query.needs === 'nodes' ? undefined : instance,
  }
}

function rolesOf(instance: Instance, node: string): readonly string[] | 'every' {
  return instance.settings.nodes.find(({ name }) => name === node)?.roles ?? 'every'
}

function holder(project: Project, node: string): Instance | undefined {
  const holding = Object.keys(project.environments).filter((environment) =>
    instanceSettings(project, environment).nodes.some(({ name }) => name === node),
  )
  if (holding.length > 1) {
    throw new KraftError({
      kind: 'usage',
      message: `The node ${node} is in several environments: ${holding.join(', ')}`,
      next: `Name the environment, for example: ${holding[0]}`,
    })
  }
  return holding[0] === undefined ? undefined : instanceOf(project, holding[0])
}

function defaultWord(query: Query, needs: 'nodes' | 'instance', known: Known): string {
  const environments = Object.keys(known.project?.environments ?? {})
  const example = environments[0] ?? names(known)[0] ?? 'NODE'
  if (!query.destructive) {
    if (needs === 'instance' && environments.length === 1 && environments[0] !== undefined) return environments[0]
    if (known.defaultNode !== undefined) return known.defaultNode
  }
  const choices = needs === 'instance' ? [...environments, ...names(known)] : names(known)
  throw new KraftError({
    kind: 'usage',
    message: `Say where: kraft ${query.task}:${example}`,
    next: choices.length === 0 ? 'There is no node yet: kraft provision NAME' : `There are ${choices.join(', ')}`,
  })
}

function unknown(word: string, needs: 'nodes' | 'instance', known: Known): KraftError {
  const environments = Object.keys(known.project?.environments ?? {})
  const words = [...environments, ...names(known)]
  return new KraftError({
    kind: 'usage',
    message: `There is no ${needs === 'instance' ? 'environment or node' : 'node'} "${word}".${didYouMean(word, words)}`,
    next:
      words.length === 0
        ? `Make it: kraft provision ${word}`
        : `There are ${words.join(', ')}; a new node is made by kraft provision ${word}`,
  })
}

function names({ inventory }: Known): readonly string[] {
  return inventory.all().map(({ name }) => name)
}
