// Compares the headers of the templates with what the code gives them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { filesThatRender, templateCalls } from './calls.mjs'

/** What types in headers may name. */
const known = `import type { Secret } from './engine/shell/secret.js'
import type { CacheRule } from './project/cache-schema.js'
import type { Detected } from './project/detect/finding.js'
import type { layout } from './project/layout.js'
import type { CronSetting } from './project/program-keys.js'
import type { Place } from './project/service.js'
import type { CacheLocation } from './recipes/page-cache.js'
type Layout = typeof layout
`
/** Rendered by something else than `render`. */
const otherwise = ['init/kraftwerk.yaml']

/** What is wrong with headers, a line each. `templates` are kraft's own: `{ name, file, header }`. */
export function headerProblems(templates, root) {
  const { program, typeOf } = programOf(templates, root)
  const checker = program.getTypeChecker()
  const calls = templateCalls(program, root)
  return templates.flatMap(({ name, file, header }) => {
    const where = `templates/${name}.ejs`
    if (header === undefined) return [`${where} has no header`]
    const own = nearest(calls.filter(({ pattern }) => pattern.test(name)))
    const part = header.partOf.length > 0
    if (own.length === 0 && !part && !otherwise.includes(name)) return [`${where} is rendered by nobody`]
    return [
      ...header.variables.flatMap((variable) => variableProblems(variable, own, typeOf(name, variable.name), checker)),
      ...own.flatMap((call) => callProblems(call, header)),
      ...includes(file).flatMap((include) => includeProblems(name, include, templates)),
    ].map((problem) => `${where}: ${problem}`)
  })
}

// Where one call names a template and another any of its folder, the first one means it.
function nearest(calls) {
  const most = Math.max(...calls.map(({ pattern }) => pattern.source.length))
  return calls.filter(({ pattern }) => pattern.source.length === most)
}

// One module with the type of each variable, so that the compiler understands them.
function programOf(templates, root) {
  const virtual = join(root, 'headers.ts')
  const variables = templates.flatMap(({ name, header }) => (header?.variables ?? []).map((variable) => ({ name, variable })))
  const text = `${known}${variables.map(({ variable }, index) => `export type T${index} = ${variable.type}`).join('\n')}\n`
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  )
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (file) => file === virtual || fileExists(file)
  host.getSourceFile = (file, target, ...rest) =>
    file === virtual ? ts.createSourceFile(file, text, target, true) : getSourceFile(file, target, ...rest)
  const program = ts.createProgram([...filesThatRender(root), virtual], { ...options, noEmit: true }, host)
  const aliases = program
    .getSourceFile(virtual)
    .statements.filter((each) => ts.isTypeAliasDeclaration(each) && /^T\d/.test(each.name.text))
  const typeOf = (name, variable) => {
    const index = variables.findIndex((each) => each.name === name && each.variable.name === variable)
    return program.getTypeChecker().getTypeAtLocation(aliases[index].name)
  }
  return { program, typeOf }
}

function variableProblems({ name, type, optional }, calls, declared, checker) {
  if (declared.flags & ts.TypeFlags.Any) return [`${name} has the type ${type}, which says nothing here`]
  return calls.flatMap(({ where, variables }) => {
    const given = variables.find((each) => each.name === name)
    if (given === undefined) return optional ? [] : [`${where} gives no ${name}: write [${name}], or take it out`]
    const fits = given.type.flags & ts.TypeFlags.Unknown || checker.isTypeAssignableTo(given.type, declared)
    return fits ? [] : [`${name} is said to be ${type}, and ${where} gives ${checker.typeToString(given.type)}`]
  })
}

function callProblems({ where, variables, literals: { mode, end } }, header) {
  const missing = variables.filter(({ name }) => !header.variables.some((each) => each.name === name))
  // A second file of the same template is told of in the text.
  const lands = end === undefined || header.to === undefined || header.to.includes(end) || /ipv6/.test(end)
  return [
    ...missing.map(({ name }) => `says nothing of ${name}, which ${where} gives`),
    ...(mode === undefined || mode === header.mode ? [] : [`the mode is ${mode} in ${where}, and ${header.mode} here`]),
    ...(lands ? [] : [`${where} puts it at …${end}, not at ${header.to}`]),
  ]
}

// `include('nginx/site.headers.conf.ejs', { indent: '  ' })`
function includes(file) {
  return [...readFileSync(file, 'utf8').matchAll(/include\('([^']+)\.ejs'(?:, \{ ([^}]*) \})?\)/g)].map(
    ([, name, given = '']) => ({
      name,
      variables: [...given.matchAll(/(\w+)(?=: )/g)].map(([word]) => word),
    }),
  )
}

function includeProblems(by, { name, variables }, templates) {
  const header = templates.find((each) => each.name === name)?.header
  if (header === undefined) return [`includes ${name}, which there is not`]
  const missing = variables.filter((variable) => !header.variables.some((each) => each.name === variable))
  return [
    ...(header.partOf.includes(by) ? [] : [`includes ${name}, whose header does not name it under @partOf`]),
    ...missing.map((variable) => `gives ${variable} to ${name}, whose header says nothing of it`),
  ]
}
