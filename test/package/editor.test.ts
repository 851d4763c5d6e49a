import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Editor, openEditor } from './tsserver.js'

const folder = inject('installed')
const file = join(folder, 'kraftfile.ts')
let example = ''

/** What VS Code sets for files without a tsconfig.json; the numbers are TypeScript's own. */
const vscode = {
  module: 'ESNext',
  moduleResolution: 'Bundler',
  target: 'ES2022',
  jsx: 'react',
  allowJs: true,
  allowImportingTsExtensions: true,
  allowSyntheticDefaultImports: true,
  allowNonTsExtensions: true,
  resolveJsonModule: true,
  sourceMap: true,
  strict: true,
  strictNullChecks: true,
  strictFunctionTypes: true,
  lib: ['ES2022'],
}

describe.each<[string, Readonly<Record<string, unknown>> | undefined]>([
  ['with bare defaults', undefined],
  ['with the options of VS Code', vscode],
])('an editor %s and no tsconfig', (_name, options) => {
  let editor: Editor

  beforeAll(async () => {
    example = await readFile(join(import.meta.dirname, '../../kraftfile.example.ts'), 'utf8')
    await writeFile(file, example)
    editor = await openEditor(folder, options)
    editor.open(file, example)
  })
  afterAll(() => editor.close())

  it('finds no mistake in the example', async () => {
    expect(await editor.problems(file)).toEqual([])
  })

  it('shows the documentation of what is imported', async () => {
    for (const piece of ['task({', 'option({', 'apt(', 'template(']) {
      const { type, docs } = await editor.hover(file, example, example.indexOf(piece))
      expect(type, piece).not.toContain('any')
      expect(docs, piece).not.toBe('')
    }
  })

  it("infers the types of a task's options", async () => {
    const from = example.indexOf('${options.area}')
    const hover = async (piece: string) => (await editor.hover(file, example, example.indexOf(piece, from))).type
    expect(await hover('area}')).toMatch(/"home" \| "shop"/)
    expect(await hover('hours *')).toMatch(/: number/)
  })

  it('underlines a wrong option, a wrong key and a wrong import', async () => {
    const wrong = join(folder, 'wrong.ts')
    const text = `import { option, task } from 'kraftwerk'
import { nothing } from 'kraftwerk/tasks'
export const one = task({
  options: { area: option({ type: 'string', choices: ['home'], required: true }) },
  async run({ $, options }) {
    await $\`echo \${options.aera}\`
  },
})
export const two = task({ onn: 'first', run: () => nothing })
`
    editor.open(wrong, text)
    const problems = await editor.problems(wrong)
    const at = (line: number) =>
      problems
        .filter((each) => each.line === line)
        .map((each) => each.text)
        .join()
    expect(at(2)).toContain('nothing')
    expect(at(6)).toContain('aera')
    expect(at(9)).toContain('onn')
  })
})
