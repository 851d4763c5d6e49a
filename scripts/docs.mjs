#!/usr/bin/env node
// Writes docs/settings.md and docs/tasks.md from what the code declares. `--check` only tells whether they are up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
// Compiled files are put together; what declares the settings is read from the sources.
const sources = createJiti(import.meta.url, { fsCache: false })
const load = (path) => sources.import(join(root, path))
const [{ projectSection, environmentSection }, { userSection }, { recordSection }, { kindNames, loadKinds }] = await Promise.all([
  load('project/section.ts'),
  load('engine/config/user-section.ts'),
  load('engine/node/record-section.ts'),
  load('recipes/kinds.ts'),
])
const [{ createRegistry, findTask }, { listTasks, printHelp }, { globalOptions }, { spreadOptions }, tasks] = await Promise.all([
  load('engine/cli/registry.ts'),
  load('engine/cli/help.ts'),
  load('engine/cli/parse.ts'),
  load('engine/cli/spread-options.ts'),
  load('tasks/index.ts'),
])
const [providers, services, frameworks] = await Promise.all(
  ['providers', 'services', 'frameworks'].map((kind) => loadKinds(kind)),
)
const note = '<!-- Written by scripts/docs.mjs from the code: npm run docs -->'

const pages = { 'docs/settings.md': settings(), 'docs/tasks.md': taskPages() }
let stale = false
for (const [path, text] of Object.entries(pages)) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  if (process.argv.includes('--check')) {
    console.error(`${path} is not what the code says: npm run docs`)
    stale = true
  } else {
    writeFileSync(file, text)
    console.log(`${path} is written`)
  }
}
process.exitCode = stale ? 1 : 0

function settings() {
  const known = { services: kindNames('services') }
  const project = projectSection(known)
  const own = Object.fromEntries(Object.entries(environmentSection(known)).filter(([key]) => !(key in project)))
  return `${note}

# Settings

YAML holds values, the [kraftfile](kraftfile.md) holds code. Three files are read:

- \`kraftwerk.yaml\`: the project. The nearest one upwards counts, so kraft works anywhere inside a project.
- \`~/.kraftwerk.yaml\`: you, on this machine. It may hold secrets; kraft warns if others can read it.
- \`nodes.yaml\`: the nodes that kraft remembers. kraft writes it.

What is said in several places: an option on the command line wins over a \`KRAFT_*\` variable, then the environment, then
\`kraftwerk.yaml\`, then \`~/.kraftwerk.yaml\`, then the default. Maps merge, lists replace. A mistake is an error that names file,
line and column.

## kraftwerk.yaml

Lists of words can be written as one text: \`packages: django pillow\`.

${table(project)}

### environments

An environment has a name (\`stage\`, \`live\`…) and may set everything above but \`version\` and \`default_node\`, which then wins,
and besides:

${table(own)}

### services

${services.map(({ name, doc }) => `- \`${name}\`: ${sentence(doc)}`).join('\n')}

A service with settings is written \`services: [{ NAME: { KEY: VALUE } }]\`.${services.some(({ section }) => Object.keys(section).length > 0) ? '' : ' None of these has settings yet.'}
${services
  .filter(({ section }) => Object.keys(section).length > 0)
  .map(({ name, section }) => `\n#### ${name}\n\n${table(section)}\n`)
  .join('')}
### Frameworks

What a project is made with is detected, not set:

${frameworks.map(({ name, doc }) => `- ${name}: ${sentence(doc)}`).join('\n')}

## ~/.kraftwerk.yaml

${table(userSection(kindNames('providers')))}

Beside these, each provider has a section of its name. \`kraft provision NAME --set KEY=VALUE\` sets one value for one node.
${providers.map(({ name, doc, section }) => `\n### ${name}\n\n${sentence(doc)}\n\n${table(section)}\n`).join('')}
## nodes.yaml

One entry for each node, by name. It holds no secrets, so a team can commit the one beside \`kraftwerk.yaml\`. Local nodes, and
nodes that were made outside a project, are in \`~/.kraftwerk/nodes.yaml\`.

${table(recordSection)}

## Variables

\`KRAFT_WORKERS=4 kraft reload\` sets \`workers\`: a key of \`kraftwerk.yaml\` in capitals (not \`name\`, \`version\` or
\`environments\`). \`KRAFT_PROVIDER\` and the others of \`~/.kraftwerk.yaml\` work in the same way, and \`KRAFT_EC2_SECRET\` is the key
\`secret\` of the section \`ec2\`. [local.md](local.md) names those of the local provider.
`
}

function taskPages() {
  const registry = createRegistry(tasks)
  const listed = listTasks(registry)
  const groups = [...new Set(listed.map(({ group }) => group))]
  return `${note}

# Tasks

\`kraft TASK[:TARGET[,TARGET]] [ARGUMENTS] [--options] [-- COMMAND]\`

What exists stands behind the colon: an environment of the project, or a node. What does not exist yet is an argument. \`all\`
means every environment, or every node that kraft remembers here. Without a target kraft takes the only
environment, else \`default_node\`; a task that loses data never guesses.

Exit codes: 0 done, 1 the task failed, 2 the command line or a setting is wrong, 3 a node could not be reached, 130 interrupted.
\`run\` and \`shell\` return the command's own code, and 255 where kraft itself failed.

Progress goes to stderr, results to stdout. With \`--json\` stdout is one document or, where nothing has a result because it failed,
empty; of several targets it has those that are done. With \`--events\` each line of stderr is a JSON document, and a failure is the
last: \`{"event":"error","code":1,"kind":"step",…}\`. Secrets are masked in all that kraft prints: what a kraftfile wraps in
\`secret()\`, variables and \`environ\` whose names say so (\`SECRET_KEY\`, \`API_TOKEN\`, \`DB_PASSWORD\`…) and passwords in URLs. The
output of \`run\` and \`shell\` is the command's own and passes untouched.

\`run\` with several targets (\`run:a,b\`), \`run:all\` or \`--each\` runs the command on all of these nodes at once. Each line has the
name of its node before it, stdout and stderr stay apart, and the commands get no input. A node that fails does not stop the
others. The exit code is the highest of all, 255 where kraft itself failed, and the last line of stderr names what failed.
With \`--json\` it is one document, also for one node: \`[{ node, code, stdout, stderr }]\`, and \`error\` where kraft failed.

| Option of every task | |
| --- | --- |
${Object.entries(globalOptions)
  .map(([name, { help }]) => `| \`--${name}\` | ${sentence(help)} |`)
  .join('\n')}

| Option of every task on nodes | |
| --- | --- |
${Object.entries(spreadOptions)
  .map(([name, { help }]) => `| \`--${name}\` | ${sentence(help)} |`)
  .join('\n')}

Where several nodes took part, the end of stderr says how each ended: ok, changed (with the number of steps), failed,
unreachable, not run. One that fails does not stop the others. With \`--json\` the data of such a task is a list of
\`{ node, status, changed, data }\`, with \`--events\` the last event is \`nodes\`. If all that failed could not be reached, the
exit code is 3. What \`--retry-failed\` needs is in \`~/.kraftwerk/last-run\`, for each project, task and target; a task that works
on all nodes together (\`deploy\`, a series) is retried on all, and takes no \`--batch\`.

\`KRAFT_DUMP_FILE=x kraft dump:live\`: a variable sets an option that is not typed, by the names of task and option. An option that
is on or off is turned off by \`--no-OPTION\`.
${groups
  .map(
    (group) =>
      `\n## ${group}\n${listed
        .filter((each) => each.group === group)
        .map(section)
        .join('')}`,
  )
  .join('')}`

  function section({ name }) {
    // The options of every task are said once.
    const text = printHelp(findTask(registry, name)).replaceAll(/\nOptions of every task(?: on nodes)?\n( {2}.*\n)+/g, '\n')
    return `\n### ${name}\n\n\`\`\`text\n${text.trim().replace(/\n{3,}/g, '\n\n')}\n\`\`\`\n`
  }
}

function table(section) {
  const rows = Object.entries(section).map(
    ([key, { schema, doc, example, secret }]) =>
      `| \`${key}\` | ${cell(sentence(doc))}${secret === true ? ' Secret.' : ''} | ${value(schema.default)} | ${value(example)} |`,
  )
  return ['| Key | | Default | Example |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function value(given) {
  const empty = given === undefined || (typeof given === 'object' && Object.keys(given).length === 0)
  return empty ? '' : `\`${cell(inYaml(given))}\``
}

function inYaml(given) {
  if (Array.isArray(given)) return `[${given.map(inYaml).join(', ')}]`
  if (typeof given === 'object')
    return `{ ${Object.entries(given)
      .map(([key, each]) => `${key}: ${inYaml(each)}`)
      .join(', ')} }`
  // What YAML would take for a number stands in quotes.
  return typeof given === 'string' && /^[\d.]+$/.test(given) ? `"${given}"` : String(given)
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
