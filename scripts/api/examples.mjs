// Type-checks the examples in doc comments: each is a module of its own, with what it names imported or, of a task's body, declared.
import { join } from 'node:path'
import ts from 'typescript'
import { compilerOptions, entryPoints } from './read.mjs'

/** What examples may name without saying where it comes from: what a body gets, an instance, and in a test the node and `expect`. */
const ofBody = ['$', 'node', 'facts', 'project', 'target', 'options', 'rest', 'local', 'line', 'session', 'call']
const types = `import type { NodeContext as Body, Place as Instance } from 'kraftwerk'
import type { RecipeNode as TestNode } from 'kraftwerk/testing'
declare const body: Body<{ readonly hours: number }>
declare const place: Instance
declare function expect(value: unknown): { toEqual(other: unknown): void }
`

/** A program of the published types and of all examples (`{ specifier, text }`), made faster by one that has those types already. */
export function programWithExamples(root, api, examples, former) {
  const files = new Map(examples.map((example, index) => [join(root, 'dist/examples', `${index}.ts`), source(api, example)]))
  const host = ts.createCompilerHost(compilerOptions)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file) ?? readFile(file)
  host.getSourceFile = (file, target, ...rest) =>
    files.has(file) ? ts.createSourceFile(file, files.get(file), target, true) : getSourceFile(file, target, ...rest)
  return ts.createProgram([...Object.values(entryPoints(root)), ...files.keys()], compilerOptions, host, former)
}

/** What is wrong with examples, a line each: where it stands, the line of the example, and what TypeScript says. */
export function exampleProblems(program, root, examples) {
  return examples.flatMap(({ where, text }, index) => {
    const file = program.getSourceFile(join(root, 'dist/examples', `${index}.ts`))
    const before = file.text.slice(0, file.text.length - text.length).split('\n').length
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ start, messageText }) => {
      const line = file.getLineAndCharacterOfPosition(start).line + 2 - before
      return `${where}: @example, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}

function source(api, { specifier, text }) {
  const { used, declared } = namesIn(ts.createSourceFile('example.ts', text, ts.ScriptTarget.ES2022, true))
  const inTest = specifier === 'kraftwerk/testing'
  const given = ofBody.filter((name) => used.has(name) && !declared.has(name) && !(inTest && name === 'node'))
  const order = [specifier, 'kraftwerk', 'kraftwerk/testing', 'kraftwerk/tasks', ...api.map((each) => each.specifier)]
  const imports = [...used].flatMap((name) => {
    if (declared.has(name) || given.includes(name)) return []
    const from = order.find((each) =>
      api.some((entry) => entry.specifier === each && entry.exports.some((one) => one.name === name)),
    )
    return from === undefined ? [] : [`import { ${name} } from '${from}'`]
  })
  const node = inTest && used.has('node') && !declared.has('node') ? 'declare const node: TestNode\n' : ''
  return `${types}${imports.join('\n')}\n${node}declare const { ${given.join(', ')} }: typeof body\nexport {}\n${text}`
}

function namesIn(file) {
  const used = new Set()
  const declared = new Set()
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const { parent } = node
      const declares =
        ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent) || ts.isImportSpecifier(parent)
      if (declares && parent.name === node) declared.add(node.text)
      else if (!ts.isPropertyAccessExpression(parent) || parent.expression === node) used.add(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { used, declared }
}
