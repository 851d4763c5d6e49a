import { KraftError } from '../../engine/errors/failure.js'
import { candidate, detectFramework, type Framework } from '../framework.js'
import { type Finding, placeOf } from './finding.js'
import { procfile } from './procfile.js'
import { pythonVersion } from './python-version.js'
import { requiredVariables } from './required-variables.js'
import { seeRequirements } from './requirements-files.js'
import { celery, services } from './services.js'
import { lineOf, type ProjectTree, programFiles } from './tree.js'

/** What was found in a folder with a Python project. */
export interface SeenProject {
  readonly framework: Framework
  /** What the stronger one says of a setting stands first. */
  readonly findings: readonly Finding[]
}

/**
 * Looks at a project that has no kraftwerk.yaml yet: nothing of it is run, nothing is fetched. Throws a KraftError (`usage`) where
 * there is no Python project.
 *
 * @example (await inspectProject('/home/ada/shop', await loadKinds('frameworks'))).framework.name // 'django'
 */
export function inspectProject(folder: string, frameworks: readonly Framework[]): SeenProject {
  const { tree, findings: required } = seeRequirements(folder)
  if (!tree.files.some((file) => file.endsWith('.py')) && required.length === 0) {
    const next = 'Go to the folder of the project, or make a new one: kraft init NAME'
    throw new KraftError({
      kind: 'usage',
      message: `There is no Python project in ${folder}: no .py file, no requirements`,
      next,
    })
  }
  const framework = detectFramework(frameworks, seen(tree))
  const own = framework.inspect?.(tree) ?? []
  const told = procfile(tree)
  const findings = [
    ...told,
    ...ofOtherPath(own, told, tree),
    ...required,
    ...pythonVersion(tree),
    ...services(tree),
    ...nothing(required, own),
  ]
  return {
    framework,
    findings: withCallable(
      oneTodoAPlace([...findings, ...celery(tree, findings), ...requiredVariables(tree, findings)]),
      tree,
      frameworks,
    ),
  }
}

// A module that the Procfile names is found from the top of the project; what was seen in its file would put a folder before that.
function ofOtherPath(own: readonly Finding[], told: readonly Finding[], tree: ProjectTree): readonly Finding[] {
  const wsgi = told.find(({ sets }) => sets?.wsgi !== undefined && sets.src === undefined)?.sets?.wsgi
  const path = wsgi?.split(':')[0]?.replaceAll('.', '/')
  const files = [`${path}.py`, `${path}/__init__.py`].filter((file) => tree.files.includes(file))
  return own.filter(({ file, sets }) => !files.includes(file) || sets?.wsgi === undefined || sets.wsgi === wsgi)
}

function nothing(required: readonly Finding[], own: readonly Finding[]): readonly Finding[] {
  if (required.length > 0 || own.some(({ sets }) => sets?.packages !== undefined)) return []
  return [
    {
      what: 'no requirements',
      file: 'requirements.txt',
      todo: 'Write one with what the project needs from PyPI; kraft brings gunicorn alone',
    },
  ]
}

// Two detectors may have seen the same thing: the first one, which knows more of it, says what to do.
function oneTodoAPlace(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding, index) => {
    const before = findings.slice(0, index).find((each) => each.todo !== undefined && placeOf(each) === placeOf(finding))
    return finding.line === undefined || finding.sets !== undefined || finding.todo === undefined || before === undefined
  })
}

// manage.py may stand in a folder of its own, which becomes `src:`.
function seen(tree: ProjectTree) {
  const manage = tree.files.find((file) => /(^|\/)manage\.py$/.test(file))
  const src = manage?.includes('/') === true ? manage.slice(0, manage.lastIndexOf('/')) : undefined
  return candidate({ folder: tree.folder, src, requires: tree.requires })
}

// A framework that knows no callable here leaves it to the one that takes any.
function withCallable(findings: readonly Finding[], tree: ProjectTree, frameworks: readonly Framework[]): readonly Finding[] {
  if (findings.some(({ sets }) => sets?.wsgi !== undefined)) return findings
  const any = frameworks.find(({ fallback }) => fallback === true)?.inspect?.(tree) ?? []
  if (any.length > 0) return [...any, ...findings]
  const asgi = asgiIn(tree)
  if (asgi !== undefined) return [...findings, asgi]
  const file = findings[0]?.file ?? tree.files[0] ?? '.'
  return [...findings, { what: 'no WSGI callable', file, todo: 'Say in wsgi: which module and callable gunicorn should run' }]
}

function asgiIn(tree: ProjectTree): Finding | undefined {
  const made = /^(\w+)\s*(?::[^=\n]*)?=\s*(?:\w+\.)?(FastAPI|Starlette|Quart|Litestar|Sanic)\(/m
  for (const file of programFiles(tree)) {
    const text = tree.read(file) ?? ''
    const [, name, framework] = made.exec(text) ?? []
    if (name === undefined) continue
    const todo = `${framework} speaks ASGI, and kraft serves WSGI; with the package a2wsgi name in wsgi: application = ASGIMiddleware(${name})`
    return { what: `the ASGI application ${name}`, file, line: lineOf(text, made) ?? 1, todo }
  }
  return undefined
}
