import type { Detector } from './finding.js'
import { lineOf } from './tree.js'

// Debian 12 brings this one: what asks for less needs no other.
const brought = 11

/** The version of Python: runtime.txt, .python-version, and the least that pyproject.toml asks for. */
export const pythonVersion: Detector = (tree) => {
  for (const [file, pattern] of [
    ['.python-version', /^\s*(?:cpython-)?3\.(\d+)/m],
    ['runtime.txt', /^\s*python-3\.(\d+)/m],
  ] as const) {
    const text = tree.read(file) ?? ''
    const minor = pattern.exec(text)?.[1]
    if (minor !== undefined)
      return [{ what: `Python 3.${minor}`, file, line: lineOf(text, pattern) ?? 1, sets: { python: `3.${minor}` } }]
  }
  const pyproject = tree.read('pyproject.toml') ?? ''
  const wanted = /^\s*(?:requires-python|python)\s*=\s*["'][^"'\n]*?(?:>=|~=|\^|==)\s*3\.(\d+)/m
  const minor = Number(wanted.exec(pyproject)?.[1] ?? 0)
  if (minor <= brought) return []
  return [
    {
      what: `Python 3.${minor} or later`,
      file: 'pyproject.toml',
      line: lineOf(pyproject, wanted) ?? 1,
      sets: { python: `3.${minor}` },
    },
  ]
}
