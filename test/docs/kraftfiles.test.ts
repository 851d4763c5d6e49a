import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

// A file of the reader's own is not there.
const ofReader = /Cannot find module '\.\.?\//

// A kraftfile that a page shows has to be one that an editor takes.
const root = join(import.meta.dirname, '../..')
/** Scripts have no types of their own. */
interface Script {
  readonly compilerOptions: ts.CompilerOptions
}
const script: string = new URL('../../scripts/api/read.mjs', import.meta.url).href

/** Kraftfiles of all pages, by a path that says where each begins; what is appended to one is checked with it. Those with `…` are sketches. */
function kraftfiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const docs = readdirSync(join(root, 'docs'), { encoding: 'utf8', recursive: true }).map((name) => `docs/${name}`)
  for (const page of ['README.md', ...docs]) {
    if (!page.endsWith('.md') || page === 'docs/api.md') continue
    const text = readFileSync(join(root, page), 'utf8')
    let whole = ''
    for (const { 1: info = '', 2: block = '', index } of text.matchAll(/^```ts(.*)\n([\s\S]*?)^```$/gm)) {
      whole = info.endsWith(' +') ? `${whole}${block}` : block
      const path = join(root, `${page}.${text.slice(0, index).split('\n').length}.ts`)
      if (/from 'kraftwerk/.test(whole) && !whole.includes('…')) files.set(path, whole)
    }
  }
  return files
}

test('every kraftfile that a page shows passes the type check of an editor', async () => {
  const { compilerOptions: options }: Script = await import(script)
  const files = kraftfiles()
  expect(files.size).toBeGreaterThan(15)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file) ?? readFile(file)
  const program = ts.createProgram([...files.keys()], options, host)
  const problems = [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
      .filter((problem) => !ofReader.test(problem))
  })
  expect(problems).toEqual([])
})
