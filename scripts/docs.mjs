#!/usr/bin/env node
// Writes the pages of the reference and kraftwerk.schema.json from what the code declares, or those that are named. `--check` only tells whether
// they are up to date, and whether what they are made of is whole: doc comments, their examples, the headers of templates.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
// Compiled files are put together; what declares the settings is read from the sources.
const sources = createJiti(import.meta.url, { fsCache: false })
const load = (path) => sources.import(join(root, path))
const [{ settingsPage }, { sentence }, { projectSchema }, { kindNames, loadKinds }] = await Promise.all([
  load('project/settings-page.ts'),
  load('engine/config/section-table.ts'),
  load('project/project-schema.ts'),
  load('recipes/kinds.ts'),
])
const [
  { createRegistry, findTask },
  { listTasks, printHelp },
  { globalOptions, letterOf },
  { spreadOptions },
  exit,
  passes,
  tasks,
] = await Promise.all([
  load('engine/cli/registry.ts'),
  load('engine/cli/help.ts'),
  load('engine/cli/parse.ts'),
  load('engine/cli/spread-options.ts'),
  load('engine/cli/exit.ts'),
  load('engine/cli/passing.ts'),
  load('tasks/index.ts'),
])
const [providers, services, frameworks, vaults] = [
  await loadKinds('providers'),
  await loadKinds('services'),
  await loadKinds('frameworks'),
  await loadKinds('vaults'),
]
const note = '<!-- Written by scripts/docs.mjs from the code: npm run docs -->'

/** Each page with how it is made; what can be wrong with what it is made of comes with it. */
const pages = {
  'docs/api.md': async () => {
    // From dist/, which has to be built.
    const { page, problems } = (await import('./api/published.mjs')).readPublished(root)
    return { text: page(commands(), note), problems }
  },
  'docs/templates.md': async () => {
    const { page, problems } = await (await import('./templates/read.mjs')).readTemplates(root, load)
    return { text: page(note), problems }
  },
  'docs/services.md': async () => withTable('docs/services.md', 'services', services),
  'docs/providers.md': async () => withTable('docs/providers.md', 'providers', providers),
  'docs/settings.md': async () => ({ text: `${note}\n\n${settingsPage({ services, providers, frameworks, vaults })}` }),
  'docs/tasks.md': async () => ({ text: taskPages() }),
  'kraftwerk.schema.json': async () => ({ text: `${JSON.stringify(projectSchema(services, kindNames('vaults')), null, 2)}\n` }),
}
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))
let stale = false
for (const path of named.length > 0 ? named : Object.keys(pages)) {
  const { text, problems = [] } = await pages[path]()
  for (const problem of problems) console.error(problem)
  stale ||= problems.length > 0
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

async function withTable(path, name, kinds) {
  const tables = await import('./kind-tables.mjs')
  return { text: tables.withTable(join(root, path), name, tables.of[name](kinds)) }
}

function commands() {
  return listTasks(createRegistry(tasks)).map(({ name, help }) => ({
    name: name.replaceAll(/-./g, (letter) => letter.slice(1).toUpperCase()),
    command: name,
    help,
  }))
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

| Exit code | | Kinds of failure (\`--events\`) |
| --- | --- | --- |
${Object.entries(exit.exitCodes)
  .map(
    ([code, doc]) =>
      `| ${code} | ${doc} | ${exit
        .kindsOf(Number(code))
        .map((kind) => `\`${kind}\``)
        .join(', ')} |`,
  )
  .join('\n')}

Where nodes or targets end differently, it is the code that those which failed agree on, else 1. ${passes.passing.map((name) => `\`${name}\``).join(', ')}
and \`dev -- COMMAND\` end with the command's own code, and with ${passes.ownFailure} where kraft itself failed.

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
  .map(([name, { help }]) => {
    const letter = letterOf(name)
    return `| \`--${name}\`${letter === undefined ? '' : `, \`-${letter}\``} | ${sentence(help)} |`
  })
  .join('\n')}

| Option of tasks on nodes (the help of a task leaves out those that it refuses) | |
| --- | --- |
${Object.entries(spreadOptions)
  .map(([name, { help }]) => `| \`--${name}\` | ${sentence(help)} |`)
  .join('\n')}

Where several nodes took part, the end of stderr says how each ended: ok, changed (with the number of steps), failed,
unreachable, not run, or taken back: undone because it failed on another. One that fails does not stop the others. With \`--json\` the data of such a task is a list of
\`{ node, status, changed, data }\`, with \`--events\` the last event is \`nodes\`. If all that failed could not be reached, the
exit code is 3. What \`--retry-failed\` needs is in \`~/.kraftwerk/last-run\`, for each project, task and target; a task that works
on all nodes together (\`deploy\`, a series) is retried on all.

\`deploy\` and \`reload\` prepare all nodes and then switch them together. With \`--batch\` they roll: all of it on one part of the
nodes, then on the next. A part that fails is taken back and stops the rest; the parts before it stay switched. All nodes are
checked and locked before the first part, and the release command runs once. Then \`--retry-failed\` means the nodes that are left.

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
    const text = printHelp(findTask(registry, name)).replaceAll(/\nOptions of (?:every task|tasks on nodes)\n( {2}.*\n)+/g, '\n')
    return `\n### ${name}\n\n\`\`\`text\n${text.trim().replace(/\n{3,}/g, '\n\n')}\n\`\`\`\n`
  }
}
