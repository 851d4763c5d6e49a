import type { Node } from '../engine/node/node.js'
import { registerSecretive } from '../engine/shell/secretive.js'
import { sh } from '../engine/shell/sh.js'
import { type Unmet, unmetSteps } from '../engine/step/check.js'
import type { Step } from '../engine/step/step.js'
import { type Change, compareTrees } from '../engine/transfer/compare.js'
import type { Manifest } from '../engine/transfer/manifest.js'
import { type Commits, commitsBetween } from '../project/commits.js'
import { readHttps } from '../project/https.js'
import { layout } from '../project/layout.js'
import { type RequirementChange, requirementChanges } from '../project/requirement-changes.js'
import type { Revision } from '../project/revision.js'
import type { Application } from '../recipes/application.js'
import { type InstanceState, parseState, readState } from '../recipes/state.js'
import { describeVirtualenv, virtualenv } from '../recipes/venv.js'
import { configurationSteps } from './configuration.js'
import { type Balancing, balancerSteps } from './rollout/balance.js'
import { heldOn } from './upload.js'

/** The release that a node serves, as its receipt says. */
export interface Deployed {
  readonly id: string
  readonly commit: string | null
  readonly revision: string | null
  readonly dirty: boolean
  readonly by: string | null
}

/** What a deploy would change on one node. What can't be known is null. */
export interface NodeDiff {
  readonly node: string
  /**
   * What is compared of it: null its release and whatever belongs to that, else only how it serves as that. A node may be in the list for
   * its release and once more for a role.
   */
  readonly role: 'balancer' | 'db' | null
  /** Null: nothing is deployed there yet, and all else is empty. */
  readonly release: Deployed | null
  readonly commits: Commits | null
  readonly files: readonly Change[] | null
  /** Paths of the release that were changed on the node since it was made, by hand or by a hook. */
  readonly touched: readonly string[]
  readonly requirements: readonly RequirementChange[] | null
  readonly configuration: readonly Unmet[]
}

/** What would be deployed. */
export interface Wanted {
  readonly application: Application
  readonly revision: Revision
  readonly manifest: Manifest
  /** Addresses of balancers. */
  readonly balancers: readonly string[]
}

/** Compares a node with what would be deployed; it is only asked. */
export async function diffOn(
  node: Node,
  { application, revision, manifest, balancers }: Wanted,
  /** The project's folder, where its repository is. */
  folder: string,
): Promise<NodeDiff> {
  const { instance, requirements } = application
  const { settings } = instance
  const [state, note, held, { codename }] = await Promise.all([
    node.read(readState(instance).text).then(parseState),
    node.read(sh`cat ${layout.current(instance)}/.kraft/requirements 2>/dev/null || :`.text),
    heldOn(node, instance),
    node.facts(),
  ])
  const release = deployed(state)
  if (release === null) return empty(node)
  const tree = held.find(({ id }) => id === release.id)
  const venv = virtualenv(requirements, { codename, python: settings.python, index: settings.index })
  const commits =
    release.commit === null || revision.commit === undefined
      ? null
      : await commitsBetween(folder, release.commit, revision.commit)
  const wanted = describeVirtualenv(venv)
  // An index may be named with a password.
  registerSecretive({ note, wanted })
  return {
    ...empty(node),
    release,
    commits: commits ?? null,
    files: tree === undefined ? null : compareTrees(tree.manifest, manifest),
    // What is shared is a link by now, as it should be.
    touched: (tree?.touched ?? []).filter((path) => !settings.shared.includes(path)),
    requirements: note === '' ? null : requirementChanges(note, wanted),
    configuration: await unmetSteps(
      node.connection,
      'Configuration',
      await configurationSteps(
        application,
        node,
        {
          place: instance,
          id: release.id,
          generation: state.current?.generation ?? '',
        },
        balancers,
      ),
    ),
  }
}

/** Compares a balancer; it is only asked. */
export async function diffOnBalancer(node: Node, { application: { instance } }: Wanted, balancing: Balancing): Promise<NodeDiff> {
  const steps = await balancerSteps(instance, node, balancing, readHttps(instance))
  return { ...empty(node), role: 'balancer', configuration: await unmetSteps(node.connection, 'Balancer', steps) }
}

/** Compares the node with the role db; it is only asked. */
export async function diffOnData(node: Node, steps: readonly Step[]): Promise<NodeDiff> {
  return { ...empty(node), role: 'db', configuration: await unmetSteps(node.connection, 'Services', steps) }
}

function empty({ name }: Node): NodeDiff {
  return {
    node: name,
    role: null,
    release: null,
    commits: null,
    files: null,
    touched: [],
    requirements: null,
    configuration: [],
  }
}

function deployed({ current, releases }: InstanceState): Deployed | null {
  if (current === undefined) return null
  const { commit = null, revision = null, dirty = false, by = null } = releases.find(({ id }) => id === current.id)?.receipt ?? {}
  return { id: current.id, commit, revision, dirty, by }
}
