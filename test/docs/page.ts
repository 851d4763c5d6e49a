/** A page of the documentation as a test runs it: its blocks from top to bottom. docs/contributing.md says what each means. */
export interface Page {
  /** Where it is in the repository. */
  readonly path: string
  readonly blocks: readonly Block[]
}

export type Block = Commands | WrittenFile | Patch | Shown

interface AtLine {
  /** Of the fence, or of the comment that hides it. */
  readonly line: number
}

/** Lines of bash to run. */
export interface Commands extends AtLine {
  readonly kind: 'commands'
  readonly text: string
  /** In which line of the page its first one stands. */
  readonly first: number
  /** How they have to end: with code 0, with another one, or by Ctrl-C as soon as they have printed what the page says. */
  readonly ends: 'well' | 'badly' | 'interrupted'
  readonly prints?: Printed
}

/** Lines that are to be found in what commands print, in that order; `…` stands for anything. */
export interface Printed extends AtLine {
  readonly lines: readonly string[]
}

/** A file that gets this text, or gets it at its end. */
export interface WrittenFile extends AtLine {
  readonly kind: 'file'
  readonly language: string
  readonly path: string
  readonly text: string
  readonly append: boolean
}

/** Changes for `patch -p1`. */
export interface Patch extends AtLine {
  readonly kind: 'patch'
  readonly text: string
}

/** What people read and nothing runs. */
export interface Shown extends AtLine {
  readonly kind: 'shown'
  readonly language: string
  readonly text: string
}

const languages =
  'cfg css csv diff dockerfile dotenv fish gitignore go html ini javascript js json jsx make nginx python ruby scss sh sql svg text toml ts tsx xml yaml zsh'.split(
    ' ',
  )

const endings = new Map<string | undefined, Commands['ends']>([
  [undefined, 'well'],
  ['fails', 'badly'],
  ['interrupted', 'interrupted'],
])

interface Fence extends AtLine {
  readonly info: readonly string[]
  readonly text: string
}

/**
 * The blocks of a page in Markdown. Throws an Error that names page and line for one that means nothing.
 *
 * @example parsePage('docs/start.md', '```sh\nkraft --version\n```\n').blocks
 */
export function parsePage(path: string, markdown: string): Page {
  const blocks: Block[] = []
  for (const found of fences(path, markdown)) {
    if ('info' in found && found.info.length === 1 && found.info[0] === 'text') {
      const last = blocks.at(-1)
      if (last?.kind === 'shown' && last.language === 'sh') blocks.push({ kind: 'shown', language: 'text', ...at(found) })
      else if (last?.kind !== 'commands' || last.prints !== undefined) {
        throw wrong(path, found.line, 'there is no ```sh right before this ```text, so nothing can have printed it')
      } else blocks[blocks.length - 1] = { ...last, prints: { line: found.line, lines: printed(found.text) } }
    } else blocks.push('info' in found ? blockOf(path, found) : found)
  }
  for (const block of blocks) {
    if (block.kind !== 'commands' || block.ends !== 'interrupted' || block.prints !== undefined) continue
    throw wrong(path, block.line, '```sh interrupted needs a ```text behind it: what is printed before Ctrl-C')
  }
  return { path, blocks }
}

/** A failure of a page at one of its lines. */
export function wrong(path: string, line: number, message: string): Error {
  const error = new Error(`${path}:${line}: ${message}`)
  // The place is in the page; where in the tests it was noticed helps nobody.
  error.stack = error.message
  return error
}

const at = ({ line, text }: Fence) => ({ line, text })
const printed = (text: string) => text.split('\n').filter((line) => !/^\s*…?\s*$/.test(line))

function blockOf(path: string, fence: Fence): Block {
  const [language = '', second, third, ...rest] = fence.info
  if (language === '') throw wrong(path, fence.line, 'a block needs a word that says what it is: ```sh, ```text, ```yaml…')
  if (!languages.includes(language)) {
    throw wrong(path, fence.line, `\`\`\`${language} is no language that pages use; those are ${languages.join(', ')}`)
  }
  if (rest.length > 0 || (third !== undefined && third !== '+')) {
    throw wrong(path, fence.line, `"${[third, ...rest].join(' ')}" behind the path; only a + can stand there, for "at the end"`)
  }
  if (language === 'diff' && second === undefined) return { kind: 'patch', ...at(fence) }
  const ends = language === 'sh' && third === undefined ? endings.get(second) : undefined
  if (ends !== undefined) return { kind: 'commands', ends, first: fence.line + 1, ...at(fence) }
  if (second === undefined) return { kind: 'shown', language, ...at(fence) }
  if (language === 'sh' && second === 'elsewhere') return { kind: 'shown', language, ...at(fence) }
  if (language === 'sh' && !/[./]/.test(second)) {
    throw wrong(path, fence.line, `\`\`\`sh ${second}: fails, interrupted, elsewhere, or the path of a file can stand there`)
  }
  if (second.startsWith('/') || second.split('/').includes('..')) {
    throw wrong(path, fence.line, `${second} leads out of the folder: files are written in it, or below ~/`)
  }
  return { kind: 'file', language, path: second, append: third === '+', ...at(fence) }
}

/** Fenced blocks and commands in comments, as they follow each other. */
function* fences(path: string, markdown: string): Generator<Fence | Commands> {
  const lines = markdown.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1
    const comment = /^\s*<!-- test:(.*)$/.exec(lines[index] ?? '')
    const fence = /^( *)(`{3,})([^`]*)$/.exec(lines[index] ?? '')
    if (comment !== null) {
      const text = [comment[1] ?? '']
      while (!text.at(-1)?.trimEnd().endsWith('-->')) {
        index++
        if (index === lines.length) throw wrong(path, line, 'this comment has no end: -->')
        text.push(lines[index] ?? '')
      }
      const script = text.join('\n').trimEnd().slice(0, -'-->'.length)
      yield { kind: 'commands', line, first: line, ends: 'well', text: `${script.replace(/^ +|\s+$/g, '')}\n` }
    } else if (fence !== null) {
      const [, indent = '', ticks = '', info = ''] = fence
      const text: string[] = []
      for (index++; !closes(lines[index] ?? '', ticks); index++) {
        if (index === lines.length) throw wrong(path, line, 'this block has no end')
        text.push((lines[index] ?? '').replace(new RegExp(`^ {0,${indent.length}}`), ''))
      }
      yield { line, info: info.split(/\s+/).filter(Boolean), text: text.map((each) => `${each}\n`).join('') }
    }
  }
}

function closes(line: string, ticks: string): boolean {
  const end = /^ *(`{3,}) *$/.exec(line)?.[1] ?? ''
  return end.length >= ticks.length
}
