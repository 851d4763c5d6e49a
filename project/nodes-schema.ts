import * as v from 'valibot'
import { nearest } from '../engine/errors/nearest.js'
import { word } from './name.js'
import { listOf, sane } from './value-schema.js'

/** What can name a node. */
export const nodeName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'the name of a node'),
  v.notValue('all', 'the name of a node: all means every node'),
)
const nodeList = listOf(nodeName)

/** A node of an environment; without `roles` it has every role. */
export interface EnvironmentNode {
  readonly name: string
  readonly roles?: readonly string[]
}

/** The roles that kraft itself looks for; a kraftfile may ask for any other. */
const knownRoles: readonly string[] = ['web', 'db', 'worker', 'balancer']

const role = v.pipe(
  v.string(),
  v.regex(word, 'a role in small letters'),
  sane((value) => {
    // Nothing would ever run on the nodes of a role that nobody looks for.
    const near = knownRoles.includes(value) ? undefined : nearest(value, knownRoles)
    return near === undefined
      ? undefined
      : `${knownRoles.join(', ')}, or a word of your own that is not so near. Did you mean "${near}"?`
  }),
)

const everyRole = v.pipe(
  nodeList,
  v.transform((names): EnvironmentNode[] => [...new Set(names)].map((name) => ({ name }))),
)
const byRole = v.pipe(
  v.record(role, nodeList),
  v.transform((map): EnvironmentNode[] => {
    const roles = new Map<string, string[]>()
    for (const [role, names] of Object.entries(map)) {
      for (const name of names) roles.set(name, [...(roles.get(name) ?? []), role])
    }
    return [...roles].map(([name, held]) => ({ name, roles: held }))
  }),
)

/** The nodes of an environment: a list where each has every role, or role by role. */
export const nodesSchema = v.lazy(
  (input): v.GenericSchema<unknown, EnvironmentNode[]> =>
    typeof input === 'object' && input !== null && !Array.isArray(input) ? byRole : everyRole,
)
