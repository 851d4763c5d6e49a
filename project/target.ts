import type { Query } from '../engine/cli/app.js'
import { KraftError, type Place } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import type { Inventory } from '../engine/node/inventory.js'
import type { Target } from '../engine/task/context.js'
import { noProject } from '../engine/task/no-project.js'
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
 * environment that holds this node, else the project without overrides. `all` means every environment or, for tasks of
 * nodes, every node of the project; outside a project every remembered node.
 *
 * @throws KraftError `usage` where nothing or several things fit, naming them; `setting` for an environment without its nodes.
 */
export function resolveTargets(query: Query, known: Known): readonly Target[] {
  if (query.word !== 'all' || query.needs === 'nothing') return [resolveTarget(query, known)]
  const words = everything(query, known)
  if (words.length > 0) return words.map((word) => resolveTarget({ ...query, word }, known))
  throw new KraftError({
    kind: 'usage',
    message: known.project === undefined ? 'There is no node yet' : `${known.project.name} has no environment with nodes`,
    next: known.project === undefined ? 'Make one: kraft provision one' : 'Add environments to kraftwerk.yaml, or name a node',
  })
}

function everything({ needs }: Query, known: Known): readonly string[] {
  const { project } = known
  if (project === undefined) return names(known)
  const inhabited = Object.keys(project.environments).filter((name) => instanceSettings(project, name).nodes.length > 0)
  if (needs !== 'nodes') return inhabited
  const nodes = inhabited.flatMap((name) => instanceSettings(project, name).nodes)
  return [...new Set(nodes.map(({ name }) => name))]
}

function resolveTarget(query: Query, known: Known): Target {
  const { project } = known
  const needs = query.needs ?? (project === undefined ? 'nodes' : 'instance')
  if (needs === 'nothing') return { word: query.word ?? '', nodes: [], project: undefined }
  // Before anything about targets: whoever stands in the wrong folder needs no node.
  if (needs === 'instance' && project === undefined) throw noProject(query.task)
  const word = query.word ?? defaultWord(query, needs, known)
  if (project !== undefined && Object.hasOwn(project.environments, word)) {
    return inEnvironment(query, instanceOf(project, word), known)
  }
  const record = known.inventory.get(word)
  if (record === undefined) {
    if (query.word === undefined && project?.settings.default_node === word) throw noDefault(project, word, known)
    throw unknown(word, needs, known)
  }
  const instance = project === undefined || needs === 'nodes' ? undefined : holder(project, word, query.task)
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
      message: `The environment ${environment} has no nodes`,
      next: `Add them, for example: nodes: [${names(known)[0] ?? 'one'}]`,
    })
  }
  const records = nodes.map(({ name }) => {
    const record = known.inventory.get(name)
    if (record !== undefined) return record
    throw new KraftError({
      kind: 'setting',
      place: nodePlace(instance, name),
      ...notKnown(name, known),
    })
  })
  return {
    word: environment,
    nodes: records.map((record) => query.connect(record, rolesOf(instance, record.name))),
    project: query.needs === 'nodes' ? undefined : instance,
  }
}

function notKnown(name: string, known: Known): { readonly message: string; readonly next: string } {
  const there = names(known)
  return {
    message: `The node ${name} is not known.${didYouMean(name, there)}`,
    next: `Make it: kraft provision ${name}${there.length === 0 ? '' : `, or name one that there is: ${there.join(', ')}`}`,
  }
}

/** Where an environment names a node: in a list the item, else the list of its first role. */
function nodePlace({ project, environment = '', settings: { nodes } }: Instance, name: string): Place {
  const index = nodes.findIndex((node) => node.name === name)
  return project.place(['environments', environment, 'nodes', nodes[index]?.roles?.[0] ?? index])
}

function noDefault(project: Project, node: string, known: Known): KraftError {
  return new KraftError({ kind: 'setting', place: project.place(['default_node']), ...notKnown(node, known) })
}

function rolesOf(instance: Instance, node: string): readonly string[] | 'every' {
  return instance.settings.nodes.find(({ name }) => name === node)?.roles ?? 'every'
}

function holder(project: Project, node: string, task: string): Instance | undefined {
  const holding = Object.keys(project.environments).filter((environment) =>
    instanceSettings(project, environment).nodes.some(({ name }) => name === node),
  )
  if (holding.length > 1) {
    throw new KraftError({
      kind: 'usage',
      message: `The node ${node} is in several environments: ${holding.join(', ')}`,
      next: `Name the environment: ${holding.map((each) => `kraft ${task}:${each}`).join(' or ')}`,
    })
  }
  return holding[0] === undefined ? undefined : instanceOf(project, holding[0])
}

function defaultWord(query: Query, needs: 'nodes' | 'instance', known: Known): string {
  const environments = Object.keys(known.project?.environments ?? {})
  if (!query.destructive) {
    if (needs === 'instance' && environments.length === 1 && environments[0] !== undefined) return environments[0]
    if (known.defaultNode !== undefined) return known.defaultNode
  }
  const choices = needs === 'instance' ? [...environments, ...names(known)] : [...names(known), ...environments]
  const why = query.destructive
    ? `${query.task} can lose data and never picks a target by itself`
    : `${query.task} needs a target`
  throw new KraftError({
    kind: 'usage',
    message: choices.length === 0 ? `${query.task} needs a node, and there is none yet` : why,
    next:
      choices.length === 0
        ? 'Make one: kraft provision one'
        : `Say where, for example: kraft ${query.task}:${choices[0]} (known here: ${choices.join(', ')})`,
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
        : `Known here: ${words.join(', ')}. A new node is made by: kraft provision ${word}`,
  })
}

function names({ inventory }: Known): readonly string[] {
  return inventory.all().map(({ name }) => name)
}
