import { relative } from 'node:path'
import { nearestKraftfile } from '../../engine/config/nearest-kraftfile.js'
import type { Check } from './check.js'

/** The kraftfile: does it load. */
export const kraftfile: Check = {
  name: 'kraftfile',
  title: 'kraftfile',
  async look({ session: { folder, root } }) {
    const file = nearestKraftfile(folder)
    if (file === undefined) return [{ about: 'kraftfile', said: 'there is none here or above', findings: [] }]
    const { loadKraftfile } = await import('../../engine/config/kraftfile.js')
    const loaded = await loadKraftfile(folder, { root })
    const exports = Object.keys(loaded?.exports ?? {})
    return [{ about: relative(folder, file), said: `loads, and exports ${exports.join(', ') || 'nothing'}`, findings: [] }]
  },
}
