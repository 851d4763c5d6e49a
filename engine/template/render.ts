import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import { commonJs } from '../config/common-js.js'
import { KraftError, type Place } from '../errors/failure.js'
import { isSecret, reveal, Secret } from '../shell/secret.js'
import { findTemplate, ownFile, templateFolders } from './find.js'
import { unknownName } from './unknown-name.js'

/**
 * Renders a template of the user's or the package's folders. Nothing is escaped: what lands on a node is not HTML. If there
 * is a secret among the values that it uses, the whole text is one.
 *
 * @throws KraftError `setting` with the file and line of a mistake, or where there is no such template. One that names a variable which
 * there is not says which there are.
 * @example render('reports.conf', { jobs: 4 })
 */
export function render(name: string, vars: Readonly<Record<string, unknown>> = {}): string | Secret {
  const filename = findTemplate(name)
  const found = { secret: false }
  const text = renderFile(name, filename, plain(vars, found))
  return found.secret ? new Secret(text, name) : text
}

/** The part of EJS that is used here. Its own types leave out the class that knows lines. */
interface Ejs {
  render(text: string, data: unknown, options: Readonly<Record<string, unknown>>): string
  readonly Template: new (text: string, options: Readonly<Record<string, unknown>>) => { source: string; generateSource(): void }
}

function renderFile(name: string, filename: string, data: unknown): string {
  // Loaded when the first template is rendered, and not by import(): recipes are synchronous.
  const ejs = commonJs<Ejs>('ejs')
  const text = readFileSync(filename, 'utf8')
  try {
    return ejs.render(text, data, { filename, views: templateFolders(), escape: printable })
  } catch (error) {
    throw explain(error, locate(error) ?? placeOf(ejs, filename, error), name, data)
  }
}

function printable(value: unknown): string {
  if (value === undefined || value === null) throw new TypeError(`the value is ${value}`)
  return String(value)
}

// A secret prints itself as "[secret]", which would land on the node.
function plain(value: unknown, found: { secret: boolean }): unknown {
  if (isSecret(value)) {
    found.secret = true
    return reveal(value)
  }
  if (Array.isArray(value)) return value.map((each) => plain(each, found))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  // Only once a template asks for it: the instance that all are told of has secrets in its settings.
  const copy = {}
  for (const [key, each] of Object.entries(value)) {
    Object.defineProperty(copy, key, { enumerable: true, get: () => plain(each, found) })
  }
  return copy
}

function explain(error: unknown, place: Place, name: string, data: unknown): KraftError {
  const message = error instanceof Error ? error.message : String(error)
  // EJS puts the places and the lines around them before what happened, and advice about itself after it.
  const said = message.replace(/ (in .* )?while compiling ejs[\s\S]*$/, '').replace(/^[\s\S]*\n\n/, '')
  const line = place.line === undefined ? '' : (readFileSync(place.file, 'utf8').split('\n')[place.line - 1] ?? '')
  const unknown = unknownName(said, line, isRecord(data) ? data : {})
  if (unknown === undefined) {
    return new KraftError({ kind: 'setting', place, message: said, next: 'Correct the template and run it again' }, error)
  }
  const there = unknown.known.length === 0 ? 'There is nothing here that it could name' : `There are: ${unknown.known.join(', ')}`
  const more = ownFile(name) === undefined ? '' : `. What each is: kraft templates show ${name}`
  return new KraftError({ kind: 'setting', place, message: unknown.message, next: `${there}${more}` }, error)
}

// While a template runs, EJS knows the line; of included templates the innermost comes last.
function locate(error: unknown): Place | undefined {
  if (!(error instanceof Error) || error.message.includes('while compiling ejs')) return undefined
  const [, file, line] = [...error.message.matchAll(/^(.+):(\d+)\n(?: >> | {4})\d+\| /gm)].at(-1) ?? []
  return file === undefined ? undefined : { file, line: Number(line) }
}

// A template that can't be compiled has no line: it is found in the JavaScript that EJS makes of it, which counts them.
function placeOf(ejs: Ejs, outer: string, error: unknown): Place {
  const file = (error instanceof Error ? / in (.+) while compiling ejs/.exec(error.message)?.[1] : undefined) ?? outer
  const text = readFileSync(file, 'utf8')
  if (error instanceof SyntaxError) return place(file, lineOfSyntax(ejs, text))
  const unclosed = error instanceof Error && error.message.includes('Could not find matching close tag')
  return place(file, unclosed ? lineOfUnclosed(text) : undefined)
}

function place(file: string, line: number | undefined): Place {
  return line === undefined ? { file } : { file, line }
}

function lineOfUnclosed(text: string): number | undefined {
  const tags = [...text.matchAll(/<%(?!%)|(?<!%)%>/g)]
  const open = tags.find((tag, index) => tag[0] === '<%' && tags[index + 1]?.[0] !== '%>')
  return open === undefined ? undefined : text.slice(0, open.index).split('\n').length
}

function lineOfSyntax(ejs: Ejs, text: string): number | undefined {
  const template = new ejs.Template(text, {})
  template.generateSource()
  try {
    new Script(`(function () {\n${template.source}\n})`, { filename: 'template' })
    return undefined
  } catch (syntax) {
    const at = syntax instanceof Error ? /^template:(\d+)/.exec(syntax.stack ?? '')?.[1] : undefined
    if (at === undefined) return undefined
    const before = template.source.split('\n').slice(0, Number(at) - 2)
    return Number([...before.join('\n').matchAll(/__line = (\d+)/g)].at(-1)?.[1] ?? 1)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
