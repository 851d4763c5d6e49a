import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A TypeScript file as a program that node can start, in a fraction of the time that a loader takes each time. */
export interface Program {
  /** What to hand to node. */
  readonly file: string
  remove(): Promise<void>
}

/** Translates a TypeScript file of the tests and the folders of the project that it imports from. */
export async function program(file: string, folders: readonly string[]): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-program-'))
  const sources = await Promise.all(
    folders.map((name) => readdir(join(root, name), { recursive: true }).then((all) => all.map((each) => join(name, each)))),
  )
  const main = relative(root, file)
  for (const source of [...sources.flat().filter((name) => name.endsWith('.ts')), main]) {
    const { outputText } = ts.transpileModule(await readFile(join(root, source), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    })
    const target = join(folder, source.replace(/\.ts$/, '.js'))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, outputText)
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return { file: join(folder, main.replace(/\.ts$/, '.js')), remove: () => rm(folder, { recursive: true, force: true }) }
}
