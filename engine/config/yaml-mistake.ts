import type { YAMLError } from 'yaml'
import { conflictIn } from './conflict.js'

/** Why a text is no YAML as kraft reads it, in words for whoever wrote it. No word of a value: it may be a secret. */
export interface YamlMistake {
  readonly message: string
  readonly next: string
  /** Offset of the place. */
  readonly at: number
}

export const mistakes = {
  alias: {
    message: 'What begins with * is an alias in YAML, and nothing above has its name',
    next: 'Put text that begins with * in quotes',
  },
  curly: {
    message: 'What begins with {{ is a map in YAML, with another map as its key',
    next: 'Put the text in quotes. kraft puts nothing in the place of {{ … }}: what differs stands in each environment',
  },
  mapAsKey: { message: 'A list or a map cannot be a key', next: 'Put text that begins with [ or { in quotes' },
  tag: { message: 'What begins with ! is a tag in YAML, and kraft knows none', next: 'Put text that begins with ! in quotes' },
  merge: {
    message: 'kraft does not know the merge key "<<"',
    next: 'Write what all environments share at the top of the file: each environment takes it over, and overrides what differs',
  },
  scalar: {
    message: 'This file should be a map of keys to values',
    next: 'Write each line as KEY: VALUE, for example: workers: 4',
  },
} as const

/**
 * What the first error of YAML's parser most likely comes from: its messages are for whoever knows the grammar, so the line that it points
 * to is looked at again.
 */
export function yamlMistake(error: YAMLError, text: string): YamlMistake {
  const [at] = error.pos
  const conflict = conflictIn(text)
  if (conflict !== undefined) return conflict
  const found = byCode(error, text) ?? byLine(text, at)
  return {
    message: `This is not YAML: ${error.message}`,
    next: 'Compare the line with its neighbours; text with : # { [ * & ! | > % @ in it stands in quotes',
    at,
    ...found,
  }
}

type Found = Partial<YamlMistake> & { readonly next: string }

function byCode({ code, message, pos: [at] }: YAMLError, text: string): Found | undefined {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { next: 'Indent with spaces' }
    case 'DUPLICATE_KEY': {
      const key = /^[^\s:]*/.exec(text.slice(at))?.[0] ?? ''
      return { message: `This key is here twice${key === '' ? '' : `: "${key}"`}`, next: 'Keep one of the two' }
    }
    case 'MULTIPLE_DOCS':
      return { message: 'One document a file', next: 'Remove the "---" and what follows' }
    case 'BAD_DQ_ESCAPE':
      return { next: "Take single quotes, where \\ is a plain letter: 'C:\\path'; or write \\\\" }
    case 'BAD_SCALAR_START':
      return {
        message: `Text cannot begin with ${text[at] ?? ''} in YAML`,
        next: `Put text that begins with ${text[at] ?? ''} in quotes`,
      }
    case 'BAD_ALIAS':
      return text[at] === '*' ? mistakes.alias : { next: 'Put text that begins with & in quotes' }
    case 'MISSING_CHAR': {
      const quote = /["']/.exec(message)?.[0]
      if (quote === undefined) return undefined
      return {
        message: `This is not YAML: a quote is opened here and never closed`,
        next: `Add the ${quote} at the end of the text`,
        at: text.lastIndexOf(quote, at),
      }
    }
    case 'BAD_INDENT': {
      const bracket = /end with a ([\]}])/.exec(message)?.[1]
      if (bracket === undefined) return indentation(at)
      const open = text.lastIndexOf(bracket === ']' ? '[' : '{', at)
      return {
        message: `This is not YAML: a ${bracket === ']' ? 'list' : 'map'} is opened here and never closed`,
        next: `Add the ${bracket} at its end`,
        at: open,
      }
    }
    default:
      return undefined
  }
}

/** What the line shows that an error stands in. */
function byLine(text: string, at: number): Found | undefined {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', start)
  const line = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '')
  const value = start + line.length - line.replace(/^.*?[:-]\s+/, '').length
  const behind = text.slice(value)
  if (behind.startsWith('{{')) return { ...mistakes.curly, at: value }
  if (behind.startsWith('*')) return { ...mistakes.alias, at: value }
  if (/^\s*-[^\s-]/.test(line))
    return {
      message: 'A space is missing behind the dash of this item',
      next: 'Write it as - NAME',
      at: start + line.search(/\S/),
    }
  if (/^\s*[\w.-]+:\S/.test(line) && !/:\s/.test(line))
    return {
      message: 'A space is missing behind the colon of this key',
      next: 'Write it as KEY: VALUE',
      at: start + line.search(/\S/),
    }
  if (/^\s*[\w.-]+\s*=/.test(line))
    return {
      message: 'Behind a key stands a colon, no equals sign',
      next: 'Write it as KEY: VALUE',
      at: start + line.search(/\S/),
    }
  if (/^["']/.test(behind) && at > value)
    return {
      message: 'This is not YAML: here the quotes end, and the text goes on',
      next: `Inside of single quotes write a quote twice ('it''s'), inside of double quotes with a backslash before it`,
    }
  if (/^[\]}]/.test(text.slice(at)))
    return {
      message: `This is not YAML: this ${text[at]} closes nothing`,
      next: 'Take it out, or add the bracket that it closes',
    }
  if (/^,/.test(text.slice(at)))
    return { message: 'This is not YAML: nothing stands between two commas', next: 'Take one of them out' }
  if ((line.match(/:\s/g)?.length ?? 0) > 1)
    return { message: 'A colon with a space behind it ends a key, and this line has two of them', next: 'Put the text in quotes' }
  if (/^\s*$/.test(text.slice(start, at)) && !/:(\s|$)/.test(line) && !/^\s*-/.test(line))
    return { message: 'This line is no key with a value', next: 'Write it as KEY: VALUE' }
  // A value on the line, and a key below it that is further in.
  const below = text.slice(end < 0 ? text.length : end + 1)
  const indent = (row: string) => row.search(/\S|$/)
  if (end >= 0 && indent(below) > indent(line) && /:\s+\S/.test(line)) return indentation(end + 1 + indent(below))
  return indentation(at)
}

function indentation(at: number): Found {
  return {
    message: 'This line is indented otherwise than its neighbours',
    next: 'Begin keys of one map in the same column, and what belongs to a key two spaces further in',
    at,
  }
}
