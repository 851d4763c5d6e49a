import { DeclarationError } from '../errors/declaration-error.js'
import { didYouMean } from '../errors/nearest.js'

const taskKeys = [
  ...['on', 'run', 'steps', 'options', 'help', 'group', 'examples', 'changes', 'needs', 'optionalTarget', 'withoutKraftfile'],
  ...['destructive', 'takesRest', 'connection', 'raw', 'gathers', 'dependsOn', 'onlyOnce', 'parallel', 'independent', 'rolling'],
  'meantBy',
]
const optionKeys = ['type', 'positional', 'choices', 'choicesFrom', 'default', 'required', 'help', 'target', 'many', 'verbs']

/**
 * Throws a {@link DeclarationError} for what `task()` was given and no task can be. Types say the same, but nobody checks types when
 * kraft runs a kraftfile, and JavaScript has none.
 */
export function checkTask(given: unknown): void {
  const spec = asMap('task', given, 'task({ run: ({ $ }) => $`manage.py check` })')
  const fail = (message: string, next: string) => new DeclarationError('task', message, next)
  known('task', 'A task', spec, taskKeys)
  const { run, steps, on, parallel, needs, options = {} } = spec
  if ((run === undefined) === (steps === undefined)) {
    throw fail(
      `A task has run (code) or steps (data), and this one has ${run === undefined ? 'neither' : 'both'}`,
      run === undefined
        ? 'Add one of them, for example: run: ({ $ }) => $`manage.py check`'
        : 'Make two tasks of it, and put them together with series()',
    )
  }
  for (const [name, body] of Object.entries({ run, steps })) {
    if (body !== undefined && typeof body !== 'function') {
      throw fail(
        `${name} of a task is a function, not ${inWords(body)}`,
        name === 'run' ? 'For example: run: ({ $ }) => $`manage.py check`' : "For example: steps: () => apt('wkhtmltopdf')",
      )
    }
  }
  const role = typeof on === 'object' && on !== null && 'role' in on ? on.role : undefined
  if (on !== undefined && typeof role !== 'string' && !['first', 'each', 'once'].includes(String(on))) {
    throw fail(
      `on of a task is 'first', 'each', 'once' or { role: 'web' }, not ${inWords(on)}.${didYouMean(String(on), ['first', 'each', 'once'])}`,
      "Left out it is 'first': the first web node",
    )
  }
  if (on === 'once' && steps !== undefined)
    throw fail(
      "steps run on nodes, and a task with on: 'once' has none of its own",
      "Say on: 'each', or run them in a body: (node) => node.apply(…)",
    )
  if (parallel !== undefined && !(Number.isInteger(parallel) && Number(parallel) > 0))
    throw fail(
      `parallel of a task is a whole number of nodes, not ${inWords(parallel)}`,
      'For example: parallel: 4; left out: all at once',
    )
  if (needs !== undefined && !['nothing', 'nodes', 'instance'].includes(String(needs))) {
    throw fail(
      `needs of a task is 'nothing', 'nodes' or 'instance', not ${inWords(needs)}.${didYouMean(String(needs), ['nothing', 'nodes', 'instance'])}`,
      'Left out it is an instance inside a project, and nodes elsewhere',
    )
  }
  for (const [name, option] of Object.entries(asMap('task', options, "options: { hours: option({ type: 'number' }) }")))
    checkOption('task', option, name)
}

/** The same for what `option()` was given, or for one that stands in a task under its name. */
export function checkOption(call: string, given: unknown, name?: string): void {
  const spec = asMap(call, given, "option({ type: 'number', default: 24 })")
  const which = name === undefined ? 'an option' : `the option "${name}"`
  const fail = (message: string, next: string) => new DeclarationError(call, message, next)
  known(call, name === undefined ? 'An option' : `The option "${name}"`, spec, optionKeys)
  const { type, choices } = spec
  if (!['string', 'number', 'boolean'].includes(String(type))) {
    throw fail(
      `The type of ${which} is 'string', 'number' or 'boolean', not ${inWords(type)}.${didYouMean(String(type), ['string', 'number', 'boolean'])}`,
      "For example: type: 'number'",
    )
  }
  if (spec.default !== undefined && typeof spec.default !== type) {
    const better =
      type === 'string' ? `'${String(spec.default)}'` : type === 'number' ? String(Number(spec.default) || 0) : 'true'
    throw fail(
      `The default of ${which} is ${inWords(spec.default)}, and its type '${String(type)}'`,
      `Write default: ${better}, or another type`,
    )
  }
  if (
    choices !== undefined &&
    !(Array.isArray(choices) && choices.length > 0 && choices.every((each) => typeof each === 'string'))
  ) {
    throw fail(`The choices of ${which} are a list of texts`, "For example: choices: ['home', 'shop']")
  }
  if (Array.isArray(choices) && typeof spec.default === 'string' && !choices.includes(spec.default)) {
    throw fail(`The default of ${which} is none of its choices: ${choices.join(', ')}`, 'Add it to them, or take another default')
  }
}

/** Gives back what `.with()` was given, or throws where a task has no such option, or one of another type. */
export function checkGiven(
  options: Readonly<Record<string, { readonly type: string; readonly many?: boolean }>>,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(options)
  for (const [name, value] of Object.entries(given)) {
    const type = Object.hasOwn(options, name) ? options[name]?.type : undefined
    if (type === undefined) {
      const has = names.length === 0 ? 'It has no options' : `It has ${names.join(', ')}`
      throw new DeclarationError('with', `The task has no option "${name}".${didYouMean(name, names)}`, has)
    }
    const wrong = [value].flat().find((each) => each !== undefined && typeof each !== type)
    if (wrong !== undefined) {
      throw new DeclarationError('with', `The option "${name}" is a ${type}, not ${inWords(wrong)}`, `Write a ${type} there`)
    }
  }
  return given
}

/** Throws where one of these is no task: a name in quotes, a function, or nothing because an import goes in a circle. */
export function checkTasks(call: string, tasks: readonly unknown[], isTask: (value: unknown) => boolean): void {
  for (const each of tasks) {
    if (isTask(each)) continue
    const next =
      typeof each === 'string'
        ? `Name the task itself: import { ${each.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase())} } from 'kraftwerk/tasks'`
        : each === undefined
          ? 'What was imported is not there (yet): do two files import each other?'
          : typeof each === 'function'
            ? 'Make a task of it: task({ run: … })'
            : "Built-in ones are in 'kraftwerk/tasks', your own are made by task()"
    throw new DeclarationError(call, `${call}() takes tasks, and got ${inWords(each)}`, next)
  }
}

function asMap(call: string, given: unknown, example: string): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Readonly<Record<string, unknown>>
  throw new DeclarationError(
    call,
    `${call}() takes an object that says what it is, and got ${inWords(given)}`,
    `For example: ${example}`,
  )
}

function known(call: string, what: string, spec: object, keys: readonly string[]): void {
  for (const key of Object.keys(spec)) {
    if (!keys.includes(key))
      throw new DeclarationError(call, `${what} has no "${key}".${didYouMean(key, keys)}`, `It can have ${keys.join(', ')}`)
  }
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return `the text "${value}"`
  if (Array.isArray(value)) return 'a list'
  if (value === undefined || value === null) return 'nothing'
  return typeof value === 'object'
    ? 'an object'
    : typeof value === 'function'
      ? 'a function'
      : `the ${typeof value} ${String(value)}`
}
