import { pathToFileURL } from 'node:url'
import { didYouMean } from '../errors/nearest.js'
import { runningFile } from './own-copy.js'

/** Why code of a kraftfile failed while it was loaded, in words. */
export interface CodeMistake {
  readonly message: string
  readonly next: string
  /** The word of its line that it is about. */
  readonly word?: string
}

/** What the message of an engine for JavaScript most likely means in a kraftfile. */
export async function codeMistake(message: string, text: string): Promise<CodeMistake> {
  const undeclared = /^([\w$]+) is not defined$/.exec(message)?.[1]
  if (undeclared !== undefined) {
    const home = await homeOf(undeclared)
    const next =
      home === undefined
        ? undeclared === 'module' || undeclared === 'exports'
          ? 'Export tasks as a module does: export const NAME = task({ … })'
          : 'Declare it above, or import it'
        : `Add at the top: import { ${undeclared} } from '${home}'`
    return { message, next, word: undeclared }
  }
  const early = /^Cannot access '([\w$]+)' before initialization$/.exec(message)?.[1]
  if (early !== undefined) {
    const next = 'Declare it above; where two files import each other, move what both need into a third one'
    return { message: `"${early}" is used before it is there`, next, word: early }
  }
  // As the loader writes a call of something imported.
  const imported = /^\(0 ?, ?[\w$]+\.([\w$]+)\) is not a (?:function|constructor)/.exec(message)?.[1]
  if (imported !== undefined) {
    const from = new RegExp(`import\\s*(?:type\\s*)?\\{[^}]*\\b${imported}\\b[^}]*\\}\\s*from\\s*['"]([^'"]+)`).exec(text)?.[1]
    if (from === undefined) return failed(`${imported} is no function`)
    const names = await namesOf(from)
    const home = await homeOf(imported)
    const next =
      home !== undefined && home !== from
        ? `It is in another module: import { ${imported} } from '${home}'`
        : 'Correct the name; an editor that knows TypeScript completes it'
    return { message: `'${from}' has no function "${imported}".${didYouMean(imported, names)}`, next, word: imported }
  }
  if (/require\(\)|ERR_REQUIRE/.test(message)) {
    return {
      message: `This code failed: ${message}`,
      next: "Load it with import { … } from '…' at the top, instead of require()",
      word: 'require',
    }
  }
  const word = /\(reading '([\w$]+)'\)$|([\w$]+) is not (?:a function|a constructor|iterable)/
    .exec(message)
    ?.slice(1)
    .find(Boolean)
  return { ...failed(`This code failed: ${message}`), ...(word === undefined ? {} : { word }) }
}

function failed(message: string): CodeMistake {
  return { message, next: 'It runs at every call of kraft: correct it, or move it into the body of a task' }
}

/** The module of kraftwerk that exports a name. */
async function homeOf(name: string): Promise<string | undefined> {
  for (const specifier of ['kraftwerk', 'kraftwerk/tasks']) if ((await namesOf(specifier)).includes(name)) return specifier
  return undefined
}

async function namesOf(specifier: string): Promise<readonly string[]> {
  const path = { kraftwerk: 'index', 'kraftwerk/tasks': 'tasks/index' }[specifier]
  if (path === undefined) return []
  const module: object = await import(pathToFileURL(runningFile(path)).href).catch(() => ({}))
  return Object.keys(module)
}
