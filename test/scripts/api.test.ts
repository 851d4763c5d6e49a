import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Scripts have no types of their own. */
interface Script {
  readPublished(root: string): { readonly problems: readonly string[] }
}
const script: string = new URL('../../scripts/api/published.mjs', import.meta.url).href

let root = ''
let problems: readonly string[] = []

// A package of the same shape with one mistake of each kind.
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kraft-api-'))
  const files = {
    'package.json': JSON.stringify({
      name: 'kraftwerk',
      type: 'module',
      exports: {
        '.': { types: './dist/index.d.ts' },
        './tasks': { types: './dist/tasks/index.d.ts' },
        './testing': { types: './dist/testing/index.d.ts' },
        './recipes/*': { types: './dist/recipes/*.d.ts' },
      },
    }),
    'dist/index.d.ts': `export { bare, sh } from './shell.js'
export type { Node, NodeContext, Place } from './context.js'\n`,
    'dist/shell.d.ts': `export declare function bare(): void
/**
 * Text of shell.
 *
 * @example sh(place.name).length
 * @example
 * const one = sh('a')
 * sh(one, 2)
 */
export declare function sh(text: string): string\n`,
    'dist/context.d.ts': `/** A node. */
export interface Node {
  readonly name: string
}
/** A place, with {@link Node}. */
export interface Place {
  /** Its name. */
  readonly name: string
}
/** What a body gets. */
export interface NodeContext<O> {
  /** What was given. */
  readonly options: O
  /** The node. */
  readonly node: Node
}\n`,
    'dist/tasks/index.d.ts': 'export declare const deploy: string\n',
    'dist/testing/index.d.ts':
      '/** A node of a test. */\nexport interface RecipeNode {\n  /** Its name. */\n  readonly name: string\n}\n',
    'dist/recipes/apt.d.ts': `/** A step. */
export interface Step {
  /** Its title. */
  readonly title: string
}
/**
 * Packages.
 *
 * @example apt('nginx')
 */
export declare function apt(...packages: readonly string[]): readonly Step[]\n`,
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  await symlink(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'))
  const { readPublished }: Script = await import(script)
  problems = readPublished(root).problems
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('the check of the API', () => {
  it.each([
    ['an export without a doc comment', 'shell.ts: bare has no doc comment'],
    ['a task without one', 'tasks/index.ts: deploy has no doc comment'],
    ['a member without one', 'context.ts: Node.name has no doc comment'],
    ['a function without an example', 'shell.ts: bare has no @example'],
    ['an export that no group of the page has', 'shell.ts: bare is in no group of scripts/api/page.mjs'],
    ['an example that does not compile, with its line', 'shell.ts: sh: @example, line 2: Expected 1 arguments, but got 2.'],
  ])('finds %s', (_, expected) => {
    expect(problems).toContain(expected)
  })

  it('finds nothing wrong with what is documented: what an example names is imported, or is what a body gets', () => {
    expect(problems.filter((each) => /apt|Place|sh: @example, line 1/.test(each))).toEqual([])
  })
})
