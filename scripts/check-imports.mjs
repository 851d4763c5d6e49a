#!/usr/bin/env node
// Holds the rooms of the design: which way imports point, who may use which library, what files are called, no cycles.
// Usage: node scripts/check-imports.mjs [FOLDER]
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))

/** Rooms from the bottom to the top: each may import those before it. */
const rooms = ['engine', 'project', 'recipes', 'tasks', 'testing']
/** Libraries that only one room may name, types included. */
const libraries = [
  { name: /^ssh2(\/|$)/, home: /^engine\/ssh\// },
  { name: /^listr2(\/|$)/, home: /^engine\/report\// },
  { name: /^@aws-sdk\//, home: /^recipes\/providers\/ec2(\/|[.-])/ },
]
const drawers = /^(utils?|helpers?|common|misc|shared|stuff)$/
const outside = new Set(['node_modules', 'dist', '.git', 'examples', 'templates', 'bench', '.venv'])

const files = filesBelow(root)
const problems = []
/** For each file the files that it needs to run; imports of types alone vanish. */
const needs = new Map()

for (const file of files) {
  const parts = file.split('/')
  for (const part of parts) {
    if (drawers.test(part.split('.')[0] ?? '')) report(file, 1, `"${part}" names a drawer, not an idea`)
  }
  if (parts[0] !== 'test') needs.set(file, check(file, parts))
}
for (const cycle of cycles()) report(cycle[0], cycle.line, `import cycle: ${[...cycle, cycle[0]].join(' -> ')}`)

for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`)
if (problems.length > 0) process.exit(1)
console.log(`${files.length} files: imports point one way`)

function report(file, line, message) {
  problems.push({ file, line, message })
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !outside.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesBelow(path)
      return /\.[cm]?tsx?$/.test(entry.name) ? [relative(root, path).replaceAll('\\', '/')] : []
    })
    .sort()
}

function check(file, parts) {
  const needed = []
  for (const { specifier, line, kind } of importsOf(file)) {
    if (!specifier.startsWith('.')) {
      const library = libraries.find(({ name }) => name.test(specifier))
      if (library !== undefined && !library.home.test(file)) {
        report(
          file,
          line,
          `"${specifier}" may be imported only in ${String(library.home)
            .replace(/[\\^$/]+/g, '/')
            .slice(1)}`,
        )
      }
      continue
    }
    const target = relative(root, resolve(root, dirname(file), specifier))
      .replaceAll('\\', '/')
      .replace(/\.([cm]?)js$/, '.$1ts')
    const from = rooms.indexOf(parts.length > 1 ? (parts[0] ?? '') : '')
    const to = rooms.indexOf(target.split('/')[0] ?? '')
    if (from !== -1 && to > from) report(file, line, `${rooms[from]} imports ${rooms[to]}: imports point the other way`)
    if (from !== -1 && to === -1) report(file, line, `${rooms[from]} imports ${target}, which is in no room below it`)
    if (!existsSync(join(root, target))) report(file, line, `"${specifier}" leads nowhere`)
    else if (kind === 'value') needed.push({ target, line })
  }
  return needed
}

/**
 * Every import of a file: `value` for one that runs when the file is loaded, else `type` or `later`. With verbatimModuleSyntax
 * `import { type A }` still loads the file.
 */
function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const found = []
  const add = (literal, kind) => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return
    found.push({ specifier: literal.text, line: source.getLineAndCharacterOfPosition(literal.getStart()).line + 1, kind })
  }
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly === true ? 'type' : 'value')
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value')
    else if (ts.isImportTypeNode(node)) add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, 'type')
    else if (ts.isCallExpression(node)) {
      const { expression } = node
      if (expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], 'later')
      else if (ts.isIdentifier(expression) && expression.text === 'require') add(node.arguments[0], 'later')
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** One cycle for each group of files that need each other. */
function cycles() {
  const found = []
  const state = new Map()
  const walk = (file, path) => {
    state.set(file, 'open')
    for (const { target, line } of needs.get(file) ?? []) {
      if (state.get(target) === 'open') {
        const cycle = [...path, file].slice([...path, file].indexOf(target))
        found.push(
          Object.assign(cycle, { line: needs.get(target)?.find((each) => each.target === (cycle[1] ?? target))?.line ?? line }),
        )
      } else if (state.get(target) === undefined && needs.has(target)) walk(target, [...path, file])
    }
    state.set(file, 'done')
  }
  for (const file of needs.keys()) if (state.get(file) === undefined) walk(file, [])
  return found
}
