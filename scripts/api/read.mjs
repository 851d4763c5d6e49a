// What the package exports, read from the types that are published (dist/): names, declarations and doc comments.
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

/** As a kraftfile is read by an editor. */
export const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowUnusedLabels: true,
  types: ['node'],
}

/** Where a kraftfile can import from, with the file of each: `kraftwerk/tasks` -> dist/tasks/index.d.ts. */
export function entryPoints(root) {
  const recipes = readdirSync(join(root, 'dist/recipes'))
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => file.replace(/\.d\.ts$/, ''))
    .sort()
  return {
    kraftwerk: join(root, 'dist/index.d.ts'),
    'kraftwerk/tasks': join(root, 'dist/tasks/index.d.ts'),
    'kraftwerk/testing': join(root, 'dist/testing/index.d.ts'),
    ...Object.fromEntries(recipes.map((name) => [`kraftwerk/recipes/${name}`, join(root, 'dist/recipes', `${name}.d.ts`)])),
  }
}

/**
 * All exports by entry point. Each has its name, where it is declared, doc comment and tags, its declarations as text without
 * the doc comment, the types that these name, and members that no doc comment explains.
 */
export function readApi(program, root) {
  const checker = program.getTypeChecker()
  return Object.entries(entryPoints(root)).map(([specifier, file]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file))
    const names = module === undefined ? [] : checker.getExportsOfModule(module)
    return {
      specifier,
      exports: names.map((symbol) => namespace(symbol, root) ?? describe(symbol.name, original(checker, symbol), checker, root)),
    }
  })
}

/** A symbol as data, under the name by which it can be had. */
export function describe(name, symbol, checker, root) {
  const declarations = (symbol.declarations ?? []).filter((each) => each.getSourceFile().fileName.startsWith(join(root, 'dist')))
  const tags = symbol.getJsDocTags(checker).map((tag) => ({ name: tag.name, text: ts.displayPartsToString(tag.text) }))
  const [first] = declarations
  const source =
    first === undefined ? undefined : relative(join(root, 'dist'), first.getSourceFile().fileName).replace(/\.d\.ts$/, '.ts')
  return {
    name,
    source,
    isType: declarations.every((each) => ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)),
    doc: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    throws: tags.filter((tag) => tag.name === 'throws').map((tag) => tag.text),
    examples: tags.filter((tag) => tag.name === 'example').map((tag) => tag.text),
    text: declarations.map((each) => textOf(each, checker)).join('\n'),
    names: namedTypes(declarations, checker, root),
    calls: declarations.some((each) => ts.isFunctionDeclaration(each)),
    steps: declarations.some((each) => ts.isFunctionDeclaration(each) && /\bStep\b/.test(each.type?.getText() ?? '')),
    bare: declarations.flatMap(bareMembers),
  }
}

/** What an export stands for, where that is in another file. */
export function original(checker, symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

// `export * as NAME from 'library'`: what is said of it stands there.
function namespace({ name, declarations: [declaration] = [] }, root) {
  if (declaration === undefined || !ts.isNamespaceExport(declaration)) return undefined
  const statement = declaration.parent
  const [comment] = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc)
  const tags = (comment?.tags ?? []).map((tag) => ({ name: tag.tagName.text, text: ts.getTextOfJSDocComment(tag.comment) ?? '' }))
  return {
    name,
    source: relative(join(root, 'dist'), statement.getSourceFile().fileName).replace(/\.d\.ts$/, '.ts'),
    isType: false,
    calls: false,
    steps: false,
    doc: ts.getTextOfJSDocComment(comment?.comment) ?? '',
    throws: [],
    examples: tags.filter((tag) => tag.name === 'example').map((tag) => tag.text),
    text: statement.getText(),
    names: new Map(),
    bare: [],
  }
}

const whole = ts.NodeBuilderFlags.NoTruncation | ts.NodeBuilderFlags.InTypeAlias | ts.NodeBuilderFlags.MultilineObjectLiterals

// A declaration as an editor shows it: without what only the compiler needs.
function textOf(declaration, checker) {
  if (ts.isTypeAliasDeclaration(declaration) && /InferOutput</.test(declaration.type.getText())) {
    const node = checker.typeToTypeNode(checker.getTypeAtLocation(declaration.name), declaration, whole)
    const text = ts.createPrinter().printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile())
    return `type ${declaration.name.text} = ${indented(text)};`
  }
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  return indented(node.getText().replace(/^export (declare )?/, ''))
}

// The compiler indents by four, and marks a class so that another copy of the package knows it.
function indented(text) {
  return text.replaceAll(/^ +readonly \[mark\].*\n/gm, '').replaceAll(/^( {4})+/gm, (indent) => ' '.repeat(indent.length / 2))
}

function namedTypes(declarations, checker, root) {
  const found = new Map()
  const visit = (node) => {
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : undefined
    const symbol = name === undefined ? undefined : checker.getSymbolAtLocation(name)
    if (symbol !== undefined) {
      const type = original(checker, symbol)
      const home = type.declarations?.[0]
      const own = home?.getSourceFile().fileName.startsWith(join(root, 'dist')) && !ts.isTypeParameterDeclaration(home)
      if (own) found.set(type.name, type)
    }
    ts.forEachChild(node, visit)
  }
  declarations.forEach(visit)
  return found
}

function bareMembers(declaration) {
  if (!ts.isInterfaceDeclaration(declaration)) return []
  return declaration.members
    .filter((member) => member.name !== undefined && !ts.isComputedPropertyName(member.name))
    .filter((member) => ts.getJSDocCommentsAndTags(member).length === 0)
    .map((member) => member.name.getText())
}
