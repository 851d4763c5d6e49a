import { posix } from 'node:path'
import type { Finding } from '../../../project/detect/finding.js'
import { lineOf, moduleOf, type ProjectTree, programFiles } from '../../../project/detect/tree.js'

/** Flask's instance folder, where an application uses it: it is written at run time, so it outlives releases. */
export function inspectInstance(tree: ProjectTree): readonly Finding[] {
  for (const file of programFiles(tree)) {
    const line = lineOf(tree.read(file) ?? '', /\binstance_relative_config\s*=\s*True|\.instance_path\b/)
    if (line === undefined) continue
    const path = posix.join(moduleOf(tree, file).src, 'instance')
    return [{ what: `Flask's instance folder ${path}/`, file, line, sets: { shared: [path] } }]
  }
  return []
}
