import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import type { Session } from '../engine/task/session.js'
import type { Held } from '../engine/transfer/difference.js'
import { fetchTree } from '../engine/transfer/fetch.js'
import { type Fingerprint, fingerprint } from '../engine/transfer/fingerprint.js'
import { type Manifest, record } from '../engine/transfer/manifest.js'
import { Meter } from '../engine/transfer/meter.js'
import { askHeld } from '../engine/transfer/upload.js'
import type { Instance } from '../project/instance.js'
import { listInstalled, packRelease, readInstalled } from '../recipes/promotion.js'
import { currentReceipt } from '../recipes/state.js'
import { heldReleases } from '../recipes/upload.js'
import { requireRelease } from './current-release.js'
import { stateOn } from './releases.js'
import { requireOwner } from './require-owner.js'
import type { Source } from './upload.js'

/** What is promoted, and to whom. */
export interface Promotion {
  readonly from: Instance
  /** The nodes of the environment that runs it. */
  readonly nodes: readonly Node[]
  readonly to: Instance
}

/**
 * The release that an environment runs, as it was uploaded there, in a folder here that goes with the session. It was proven file by
 * file when it was put together there, and is again by the same manifest.
 *
 * @throws KraftError `task` where it runs none, several, or one that is not any more what was uploaded.
 */
export async function openPromoted({ from, nodes, to }: Promotion, session: Session, line: Line): Promise<Source> {
  const { node, id, receipt } = await served(from, nodes)
  const temporary = await mkdtemp(join(tmpdir(), 'kraft-promote-'))
  session.onEnd(() => rm(temporary, { recursive: true, force: true }))
  const meter = new Meter(line, undefined)
  const [tree, installed] = await Promise.all([
    treeOf(node, from, id),
    node.read(listInstalled(from, id).text),
    fetchTree(node.connection, node.asRoot(packRelease(from, id).text), temporary, meter.count),
  ])
  const prove = () => proven(temporary, tree.manifest, { what: `${from.name} ${id}`, shared: to.settings.shared })
  const files = await prove()
  line.title(`Fetch ${files.length} files of release ${id}`)
  return {
    folder: temporary,
    revision: { commit: receipt.commit ?? undefined, name: receipt.revision ?? undefined, dirty: receipt.dirty },
    files: async (again) => (again === true ? prove() : files),
    surprises: async () => [],
    promoted: {
      from: [from.project.name, from.environment, id].filter((word) => word !== undefined).join(' '),
      installed: readInstalled(installed),
      // As seen from the releases of the other instance.
      held: new Map([[node.name, { ...tree, id: `../../${from.name}/releases/${id}` }]]),
    },
  }
}

/** The release that all nodes of an environment serve, and one that has it. */
async function served(from: Instance, nodes: readonly Node[]) {
  const states = await Promise.all(
    nodes.map(async (node) => {
      await requireOwner(node, from, 'Call kraft in that project')
      return { node, state: await stateOn(node, from) }
    }),
  )
  const ids = states.map(({ node, state }) => requireRelease(from, node, state))
  const [first] = states
  const [id = ''] = ids
  const receipt = first === undefined ? undefined : currentReceipt(first.state)
  if (first !== undefined && receipt !== undefined && ids.every((each) => each === id)) return { node: first.node, id, receipt }
  const word = from.environment ?? from.name
  throw new KraftError({
    kind: 'task',
    message: `The nodes of ${word} serve different releases: ${[...new Set(ids)].join(', ')}`,
    next: `Make them one (kraft rollback:${word}, kraft deploy:${word}), then promote that`,
  })
}

// No manifest is known here, so that the node tells its own, of the release that serves.
async function treeOf(node: Node, from: Instance, id: string): Promise<Held> {
  const [tree] = await askHeld(node.connection, node.asRoot(heldReleases(from).text), '/dev/null')
  if (tree?.id === id) return tree
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `release ${id} of ${from.name} has no list of its files, or another one was switched to just now`,
    next: `Deploy ${from.environment ?? from.name} anew, then promote that`,
  })
}

/** The files that a manifest names, without what is shared where they go. Throws `task` where one is missing or another. */
async function proven(
  folder: string,
  { entries }: Manifest,
  { what, shared }: { readonly what: string; readonly shared: readonly string[] },
): Promise<readonly Fingerprint[]> {
  // Nothing outside of the folder is looked at, whatever a node says.
  const inside = entries.filter(({ path }) => !path.startsWith('/') && !path.split('/').includes('..'))
  const there = await fingerprint(
    folder,
    inside.map(({ path, kind }) => ({ path, type: kind === 'program' ? 'file' : kind })),
  )
  const wanted = new Set(entries.map(record))
  const found = there.filter((entry) => wanted.has(record(entry)))
  const known = new Set(found.map(({ path }) => path))
  // In its place is the link to what is shared, as it will be in the other environment.
  const isShared = (path: string) => shared.some((each) => path === each || path.startsWith(`${each}/`))
  const lost = entries.filter(({ path }) => !known.has(path) && !isShared(path)).map(({ path }) => path)
  if (lost.length === 0) return found
  const some = lost.slice(0, 5).join(', ')
  throw new KraftError({
    kind: 'task',
    message: `${what} is not any more what was uploaded: ${some}${lost.length > 5 ? ` and ${lost.length - 5} more` : ''}`,
    next: 'Somebody changed it on the node. Deploy that environment anew, then promote it',
  })
}
