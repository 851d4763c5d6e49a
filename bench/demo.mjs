// The whole demo as `npm run demo` runs it, on a node that did not exist before, with the package caches of an earlier one.
import { join } from 'node:path'
import { spread, time } from './measure.mjs'
import { removeNodes, root, withState } from './place.mjs'

export const about = 'the whole demo'
// The node that the others were measured on has filled the caches.
export const needsNode = true

export async function measure({ signal, row }) {
  await removeNodes()
  const { milliseconds } = await time([process.execPath, join(root, 'scripts', 'demo.mjs')], {
    cwd: root,
    env: withState,
    signal,
  })
  row({ what: 'the whole demo, packages cached', ...spread([milliseconds]), aim: 120_000 })
}
