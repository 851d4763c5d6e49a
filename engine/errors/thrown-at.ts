import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runningRoot } from '../config/own-copy.js'
import type { Place } from './failure.js'

/** Where in the user's own code an error was thrown: the topmost frame that is neither kraft's, a package's nor Node.js's. */
export function thrownAt(error: unknown): Place | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const [, path = '', line, column] of stack.matchAll(frame)) {
    const file = path.startsWith('file:') ? fileURLToPath(path) : path
    if (!file.includes('/node_modules/') && !isOwn(file)) return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}

// `at run (/home/ada/my shop (old)/kraftfile.ts:4:9)`, `at async /home/ada/my shop/kraftfile.ts:4:9`; not of what was made by eval.
const frame = /^ +at (?!.*<anonymous>:)(?:async )?(?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/gm

// kraft's tests and examples lie beside its code, and are somebody's own.
function isOwn(file: string): boolean {
  const room = relative(runningRoot, file).split(sep)[0] ?? ''
  return ['engine', 'project', 'recipes', 'tasks', 'testing', 'kraft.js', 'kraft.ts'].includes(room)
}
