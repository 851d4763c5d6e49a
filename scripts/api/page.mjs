// docs/api.md from what read.mjs has read.
import { describe } from './read.mjs'

/** What `kraftwerk` exports, and the types that it names, in the order in which one needs them. What is missing here is an error. */
const groups = {
  Tasks: [
    'task',
    'NodeSpec',
    'OnceSpec',
    'CommonSpec',
    'On',
    'Needs',
    'option',
    'OptionSpec',
    'result',
    'series',
    'parallel',
    'before',
    'after',
    'Task',
  ],
  'What a body gets': [
    'NodeContext',
    'TargetContext',
    'Target',
    'TaskProject',
    'Node',
    'Facts',
    'NodeRecord',
    'Line',
    'Session',
    'eachNode',
    'inBatches',
  ],
  'Steps and recipes': ['Step', 'Handler', 'Recipe', 'sh', 'lines', 'layout', 'Place'],
  Secrets: ['secret', 'isSecret', 'reveal', 'Secret'],
  'Services of your own': [
    'service',
    'ServiceSpec',
    'Service',
    'ServiceData',
    'Copy',
    'Door',
    'Elsewhere',
    'ServiceServer',
    'Here',
    'Developer',
    'schema',
  ],
  'Providers and vaults of your own': ['provider', 'ProviderSpec', 'Provider', 'CreateRequest', 'NodeState', 'vault', 'Vault'],
  Errors: ['KraftError', 'Failure'],
}
/** Recipes that are made for kraftfiles as well; the others are parts of the built-in tasks. */
const recipesForAll = ['apt', 'file', 'template', 'user', 'runit', 'systemd', 'nginx', 'own-server', 'service-ports']
/** Types that no kraftfile needs to know from inside. */
const closed = ['Connection', 'Report', 'Inventory', 'UserSettings', 'Section', 'MapSchema']
const here = 'kraftwerk/recipes/'

/** The parts of the page, from what is exported: `main`, `kit`, `open` and `inner` recipes, and the types that they `named`. */
export function partsOf(api, checker, root) {
  const of = (specifier) => api.find((each) => each.specifier === specifier)?.exports ?? []
  const main = of('kraftwerk')
  const kit = of('kraftwerk/testing')
  const open = recipesForAll.map((name) => ({ name, entries: of(`${here}${name}`) }))
  const inner = api
    .filter(({ specifier }) => specifier.startsWith(here) && !recipesForAll.includes(specifier.slice(here.length)))
    .map(({ specifier, exports }) => ({ name: specifier.slice(here.length), entries: exports.filter(({ steps }) => steps) }))
  const known = new Set([...main, ...kit, ...open.flatMap(({ entries }) => entries)].map(({ name }) => name))
  return { main, kit, open, inner, named: typesNamedBy([...main, ...kit], known, checker, root), tasks: of('kraftwerk/tasks') }
}

/** The page, in Markdown. `commands` are the built-in tasks: their names in code and on the command line, and a line about each. */
export function apiPage({ main, kit, open, inner, named }, commands, note) {
  const grouped = new Set(Object.values(groups).flat())
  const find = (name) => main.find((each) => each.name === name) ?? named.find((each) => each.name === name)
  const section = (title, entries) => [`### ${title}`, ...entries.map(entry)].join('\n\n')
  return withAnchors(`${note}

# Kraftfile API

All that a kraftfile or a plugin can import, with its types. [The kraftfile](kraftfile.md) explains how they go together. An editor shows
the same text at each name ([how](editor.md)). The examples are type-checked.

| From | |
| --- | --- |
| [\`kraftwerk\`](#kraftwerk) | tasks, steps, secrets, services, providers, vaults, errors |
| [\`kraftwerk/tasks\`](#kraftwerktasks) | the built-in tasks, to call, hook, compose and replace |
| [\`kraftwerk/testing\`](#kraftwerktesting) | nodes for tests of recipes |
| [\`kraftwerk/recipes/NAME\`](#kraftwerkrecipes) | recipes: functions that return steps |

## kraftwerk

${Object.entries(groups)
  .map(([title, names]) => section(title, names.map(find)))
  .join('\n\n')}

## kraftwerk/tasks

Each is a [\`Task\`](#@Task): \`deploy.with({ … })\` fixes options, \`before\`, \`after\` and \`series\` take it, \`call\` runs it. What it does and its
options: [tasks.md](tasks.md).

| Import | Command | |
| --- | --- | --- |
${commands.map(({ name, command, help }) => `| \`${name}\` | [\`kraft ${command}\`](tasks.md#${command}) | ${help} |`).join('\n')}

## kraftwerk/testing

The test kit for recipes: [how to test one](recipes.md#testing-a-recipe).

${kit.map(entry).join('\n\n')}

## kraftwerk/recipes

${open.map(({ name, entries }) => section(`kraftwerk/recipes/${name}`, entries)).join('\n\n')}

### Recipes of kraft itself

What bootstrap, deploy and the others are made of. They can be imported too, but may change with any version.

| From \`kraftwerk/recipes/\` | |
| --- | --- |
${inner.flatMap(({ name, entries }) => entries.map((each) => row(name, each))).join('\n')}

## Types named above

They have no export of their own: what is given and what comes back has them.

${named
  .filter(({ name }) => !grouped.has(name))
  .map(entry)
  .join('\n\n')}
`)
}

/** What is wrong with the doc comments, a line each. Empty where all is well. */
export function docProblems({ main, kit, open, inner, named, tasks }) {
  const grouped = Object.values(groups).flat()
  const recipes = open.flatMap(({ entries }) => entries)
  const documented = [...main, ...kit, ...recipes, ...inner.flatMap(({ entries }) => entries), ...named, ...tasks]
  return [
    ...documented.filter(({ doc }) => doc === '').map((each) => `${at(each)} has no doc comment`),
    ...[...main, ...kit, ...recipes, ...named].flatMap((each) =>
      each.bare.map((member) => `${at(each)}.${member} has no doc comment`),
    ),
    ...[...main, ...kit]
      .filter(({ calls, examples }) => calls && examples.length === 0)
      .map((each) => `${at(each)} has no @example`),
    ...main.filter(({ name }) => !grouped.includes(name)).map((each) => `${at(each)} is in no group of scripts/api/page.mjs`),
  ]
}

function at({ source, name }) {
  return `${source}: ${name}`
}

// Also those that these name in turn.
function typesNamedBy(exports, known, checker, root) {
  const found = []
  let level = exports
  while (level.length > 0) {
    const next = new Map()
    for (const [name, symbol] of level.flatMap(({ names }) => [...names])) {
      if (!known.has(name) && !closed.includes(name)) next.set(name, describe(name, symbol, checker, root))
      known.add(name)
    }
    level = [...next.values()]
    found.push(...level)
  }
  return found.sort((a, b) => a.name.localeCompare(b.name))
}

function entry({ name, doc, text, throws, examples }) {
  const errors = throws.map((each) => `Throws ${linked(each).replace(/^KraftError\b/, '[`KraftError`](#@KraftError)')}`)
  const code = (lines) => `\`\`\`ts\n${lines}\n\`\`\``
  return [`#### ${name}`, linked(doc), code(text), ...errors, ...examples.flatMap((each) => ['For example:', code(each)])].join(
    '\n\n',
  )
}

function row(file, { name, text, doc }) {
  const [first = ''] = doc.replaceAll(/\s+/g, ' ').split(/(?<=\.)\s/)
  const given = /^function \w+(<.*?>)?(\([\s\S]*?\)):/.exec(text)?.[2].replaceAll(/\s+/g, ' ') ?? ''
  const signature = `${name}${given.length > 60 ? '(…)' : given}`
  return `| \`${file}\`: \`${signature}\` | ${first.replaceAll(/\{@link ([\w.]+)\}/g, '`$1`')} |`.replaceAll(
    /(?<=\w) \| (?=\w)/g,
    ' \\| ',
  )
}

function linked(prose) {
  return prose.replaceAll(/\{@link ((\w+)[\w.]*)\}/g, '[`$1`](#@$2)')
}

// GitHub makes anchors of headings, and a second one of the same letters gets a number: known once the page is whole.
function withAnchors(page) {
  const taken = new Map()
  const anchors = new Map()
  for (const [, level, heading] of page.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^(#+) (.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
    const count = taken.get(slug) ?? 0
    taken.set(slug, count + 1)
    if (level === '####' && !anchors.has(heading)) anchors.set(heading, count === 0 ? slug : `${slug}-${count}`)
  }
  return page.replaceAll(/\[(`[^`]+`)\]\(#@(\w+)\)/g, (_, shown, name) =>
    anchors.has(name) ? `[${shown}](#${anchors.get(name)})` : shown,
  )
}
