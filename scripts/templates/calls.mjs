// Where the sources render a template, and what they give it: the truth that the headers of templates are compared with.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

/** Where the functions are declared that render a template. */
const renderers = ['engine/template/render.ts', 'recipes/template.ts', 'recipes/providers/local/template.ts']

/** The files that call one of them, or look like it. */
export function filesThatRender(root) {
  return readdirSync(join(root, 'recipes'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !renderers.includes(relative(root, file)))
    .filter((file) => /\b(render|template)\(/.test(readFileSync(file, 'utf8')))
}

/**
 * All calls that render: the pattern of the template's name, the variables with their types, and where a file lands as far as the call says so
 * in so many words.
 */
export function templateCalls(program, root) {
  const checker = program.getTypeChecker()
  return filesThatRender(root).flatMap((file) => callsIn(program.getSourceFile(file), checker, root))
}

function callsIn(file, checker, root) {
  const found = []
  const visit = (node) => {
    if (ts.isCallExpression(node) && ['render', 'template'].includes(node.expression.getText())) {
      const call = describe(node, checker, root)
      if (call !== undefined) found.push(call)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

function describe(node, checker, root) {
  const declaration = checker.getResolvedSignature(node)?.declaration
  const home = declaration === undefined ? '' : relative(root, declaration.getSourceFile().fileName)
  if (!renderers.includes(home)) return undefined
  const file = node.getSourceFile()
  const where = `${relative(root, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
  const [name, given] = node.arguments
  const pattern = namePattern(name)
  // It hands on what it is given itself.
  if (pattern === undefined) return undefined
  const isTemplate = home === 'recipes/template.ts'
  const options = given === undefined ? undefined : checker.getTypeAtLocation(given)
  const vars = isTemplate ? typeOf(options, 'vars', node, checker) : options
  const prefix = home.endsWith('local/template.ts') ? { at: 'providers/local/', under: 'at.' } : { at: '', under: '' }
  return {
    where,
    pattern: new RegExp(`^${prefix.at}${pattern}$`),
    variables: (vars?.getProperties() ?? []).map((symbol) => ({
      name: `${prefix.under}${symbol.name}`,
      type: checker.getTypeOfSymbolAtLocation(symbol, node),
    })),
    literals: isTemplate && ts.isObjectLiteralExpression(given) ? literalsOf(given) : {},
  }
}

function typeOf(type, property, node, checker) {
  const symbol = type?.getProperty(property)
  return symbol === undefined ? undefined : checker.getTypeOfSymbolAtLocation(symbol, node)
}

// A text as it stands, `${…}` for any name in it.
function namePattern(node) {
  const exactly = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  if (ts.isStringLiteralLike(node)) return exactly(node.text)
  if (!ts.isTemplateExpression(node)) return undefined
  return [exactly(node.head.text), ...node.templateSpans.map((span) => exactly(span.literal.text))].join('[^/]+')
}

// What the call says in so many words of the file: its mode, its group, and how its path ends.
function literalsOf(object) {
  const initializer = (name) => {
    const property = object.properties.find((each) => each.name?.getText() === name)
    return property !== undefined && ts.isPropertyAssignment(property) ? property.initializer : undefined
  }
  const [to, mode] = [initializer('to'), initializer('mode')]
  const end = to !== undefined && ts.isTemplateExpression(to) ? to.templateSpans.at(-1).literal : to
  const text = (node) =>
    (node !== undefined && ts.isLiteralExpression(node)) || node?.kind === ts.SyntaxKind.TemplateTail ? node.text : undefined
  return { mode: text(mode), end: text(end) === '' ? undefined : text(end) }
}
