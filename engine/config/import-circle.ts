import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { moduleText } from './module-text.js'

/**
 * The other files of a circle of imports that a file is in, the one that it imports first; empty where there is none.
 *
 * @example importCircle('/shop/kraftfile.ts') // ['/shop/b.ts']
 */
export function importCircle(file: string): readonly string[] {
  const ways: (readonly string[])[] = [[file]]
  const seen = new Set<string>()
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1) ?? file
    for (const next of importsOf(last)) {
      if (next === file) return way.slice(1)
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return []
}

function importsOf(file: string): readonly string[] {
  if (!existsSync(file)) return []
  const local = moduleText(readFileSync(file, 'utf8')).imports.filter(({ specifier }) => specifier.startsWith('.'))
  return local.flatMap(({ specifier }) => {
    const path = resolve(dirname(file), specifier)
    // As TypeScript has it, `./b.js` can be b.ts.
    return (
      [path, path.replace(/js$/, 'ts'), `${path}.ts`, `${path}.js`].find((each) => /\.\w+$/.test(each) && existsSync(each)) ?? []
    )
  })
}
