import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runningRoot } from '../config/own-copy.js'
import type { Place } from './failure.js'

/** Where in the user's own code an error was thrown: the topmost frame that is neither kraft's, a package's nor Node.js's. */
export function thrownAt(error: unknown): Place | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const [, path = '', line, column] of stack.matchAll(/(?<=[\s(])((?:file:\/\/)?\/[^\s()]*?):(\d+):(\d+)\)?$/gm)) {
    const file = path.startsWith('file:') ? fileURLToPath(path) : path
    if (!file.includes('/node_modules/') && !isOwn(file)) return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}

// kraft's tests and examples lie beside its code, and are somebody's own.
function isOwn(file: string): boolean {
  return ['engine', 'project', 'recipes', 'tasks'].some((room) => file.startsWith(`${runningRoot}${sep}${room}${sep}`))
}
