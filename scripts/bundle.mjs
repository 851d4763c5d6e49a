// Writes the code of the sources into dist/. What a command is sure to need lies in two files rather than in a hundred and more: to find,
// read and link each of them costs Node.js most of a millisecond, at every start.
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { rolldown } from 'rolldown'
import ts from 'typescript'

/** Runs on its own, so that it shares its code with nobody. */
const program = 'engine/ssh/warm/holder.ts'
/** What the list of tasks and completion need, which answer from a cache. */
const startsWith = ['engine/cli/main.ts', 'engine/cli/list.ts', 'engine/cli/completion/answer.ts']
/** What nobody names from outside. Files of the other rooms are found by their names, and stay files. */
const inner = /^(engine|project)\//

/**
 * @param folder the folder of the sources
 * @param sources their paths, relative to it
 * @returns the paths of what was written, relative to dist/
 */
export async function bundle(folder, sources) {
  // rolldown names files by their real paths.
  const root = realpathSync(folder)
  const imports = new Map(sources.map((file) => [file, importsOf(root, file)]))
  const below = (...names) => new Set(names.filter((file) => imports.has(file)).flatMap((file) => [...closure(file, imports)]))
  const start = below(...startsWith)
  // A package is loaded when it is used, and so is what imports one.
  const isLight = (file) => [...closure(file, imports)].every((each) => imports.get(each).packages.length === 0)
  const files = sources.filter((file) => !inner.test(file))
  const spare = new Set([...below('engine/ssh/warm/spare.ts')].filter((file) => !start.has(file)))
  const core = new Set(
    sources.filter(
      (file) => ![start, spare].some((group) => group.has(file)) && inner.test(file) && file !== program && isLight(file),
    ),
  )
  const written = [
    await write(files, [group('start', start), group('spare', spare), group('core', core)]),
    await write(sources.filter((file) => file === program)),
  ]
  return written.flat()

  function group(name, members) {
    return { name, test: (id) => members.has(relative(root, id)) }
  }

  async function write(inputs, groups = []) {
    if (inputs.length === 0) return []
    const build = await rolldown({
      cwd: root,
      input: Object.fromEntries(inputs.map((file) => [file.replace(/\.ts$/, ''), join(root, file)])),
      external: /^[^./]/,
      plugins: [
        {
          name: 'files-stay-files',
          resolveId: (id, importer) => (staysFile(root, id, importer) ? { id, external: true } : null),
        },
      ],
      platform: 'node',
      resolve: { extensionAlias: { '.js': ['.ts'] } },
    })
    const { output } = await build.write({
      dir: join(root, 'dist'),
      format: 'esm',
      sourcemap: true,
      minifyInternalExports: false,
      comments: false,
      entryFileNames: '[name].js',
      chunkFileNames: 'engine/[name].js',
      codeSplitting: { groups },
    })
    await build.close()
    return output.map(({ fileName }) => fileName)
  }
}

/** Whether an import is one of a file that stays a file; so does the path to it. */
function staysFile(root, id, importer) {
  return importer !== undefined && id.startsWith('.') && !inner.test(relative(root, join(dirname(importer), id)))
}

/** The files and packages that a source imports at once; imports of types alone vanish. */
function importsOf(root, file) {
  const found = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest)
  const names = found.statements
    .filter(
      (each) =>
        (ts.isImportDeclaration(each) && each.importClause?.isTypeOnly !== true) ||
        (ts.isExportDeclaration(each) && !each.isTypeOnly),
    )
    .flatMap(({ moduleSpecifier }) => (moduleSpecifier === undefined ? [] : [moduleSpecifier.text]))
  return {
    files: names.filter((name) => name.startsWith('.')).map((name) => join(dirname(file), name.replace(/\.js$/, '.ts'))),
    packages: names.filter((name) => !/^(\.|node:)/.test(name)),
  }
}

/** A file with all that it imports. */
function closure(file, imports, found = new Set()) {
  if (found.has(file)) return found
  found.add(file)
  for (const each of imports.get(file).files) closure(each, imports, found)
  return found
}
