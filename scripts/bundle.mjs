// Writes the code of the sources into dist/. What is needed together lies in a few files rather than in hundreds: to find, read and link
// each of them costs Node.js most of a millisecond, at every start. Each source can still be imported by its own path.
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { rolldown } from 'rolldown'
import ts from 'typescript'

/** Runs on its own, so that it shares its code with nobody. */
const program = 'engine/ssh/warm/holder.ts'
/** What each start needs, and the list of tasks and completion, which answer from a cache. */
const startsWith = ['engine/cli/is-older.ts', 'engine/cli/main.ts', 'engine/cli/list.ts', 'engine/cli/completion/answer.ts']
/** What nobody names from outside. */
const inner = /^(engine|project)\//
/** Packages of many small files that almost every command needs: put inside, each with its licence beside. */
const inside = ['yaml', 'smol-toml']
/** What comes in kinds is loaded when it is named: a file stays a file, a folder (of one provider, or what several share) becomes one. */
const kind = /^recipes\/(?:services|providers|frameworks|vaults)\/(?:(?<folder>\w+)\/)?/

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
  // A package is loaded when it is used, and so is what imports one; valibot checks settings, and so is needed by all that reads one.
  const light = [...inside, 'valibot']
  const isLight = (file) =>
    [...closure(file, imports)].every((each) => imports.get(each).packages.every((name) => light.includes(name)))
  const files = sources.filter((file) => !inner.test(file))
  const spare = new Set([...below('engine/ssh/warm/spare.ts')].filter((file) => !start.has(file)))
  const core = new Set(
    sources.filter(
      (file) => ![start, spare].some((group) => group.has(file)) && inner.test(file) && file !== program && isLight(file),
    ),
  )
  const room = (name) => new Set(files.filter((file) => file.startsWith(`${name}/`) && !kind.test(file) && isLight(file)))
  const folders = new Set(files.flatMap((file) => kind.exec(file)?.groups.folder ?? []))
  const written = [
    await write(files, [
      group('start', start),
      group('spare', spare),
      group('core', core),
      group('recipes', room('recipes')),
      group('tasks', room('tasks')),
      ...[...folders].map((name) => group(name, new Set(files.filter((file) => kind.exec(file)?.groups.folder === name)))),
    ]),
    await write(sources.filter((file) => file === program)),
  ]
  return written.flat()

  function group(name, members) {
    return { name, test: (id) => members.has(relative(root, id)) }
  }

  function licences(_, chunks) {
    const ids = Object.values(chunks).flatMap((chunk) => chunk.moduleIds ?? [])
    for (const name of inside) {
      if (!ids.some((id) => id.includes(`/node_modules/${name}/`))) continue
      const source = readFileSync(join(root, 'node_modules', name, 'LICENSE'))
      this.emitFile({ type: 'asset', fileName: `engine/${name}.LICENSE`, source })
    }
  }

  async function write(inputs, groups = []) {
    if (inputs.length === 0) return []
    const build = await rolldown({
      cwd: root,
      input: Object.fromEntries(inputs.map((file) => [file.replace(/\.ts$/, ''), join(root, file)])),
      external: (id) => /^[^./]/.test(id) && !inside.includes(id),
      plugins: [{ name: 'licences', generateBundle: { handler: licences } }],
      platform: 'node',
      // Sources say what they need late; it lies in the same file all the same where others need it anyway.
      checks: { ineffectiveDynamicImport: false },
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
