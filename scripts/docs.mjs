#!/usr/bin/env node
// Writes docs/settings.md, docs/tasks.md and kraftwerk.schema.json from what the code declares. `--check` only tells whether they are up to date.
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
const [{ createRegistry, findTask }, { listTasks, printHelp }, { globalOptions }, { spreadOptions }, tasks] = await Promise.all([
  load('engine/cli/registry.ts'),
  load('engine/cli/help.ts'),
  load('engine/cli/parse.ts'),
  load('engine/cli/spread-options.ts'),
  load('tasks/index.ts'),
])
const [providers, services, frameworks, vaults] = [
  await loadKinds('providers'),
  await loadKinds('services'),
  await loadKinds('frameworks'),
  await loadKinds('vaults'),
]
const note = '<!-- Written by scripts/docs.mjs from the code: npm run docs -->'

const pages = {
  'docs/settings.md': `${note}\n\n${settingsPage({ services, providers, frameworks, vaults })}`,
  'docs/tasks.md': taskPages(),
  'kraftwerk.schema.json': `${JSON.stringify(projectSchema(services, kindNames('vaults')), null, 2)}\n`,
}
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
\`run\`, \`shell\` and \`dev -- COMMAND\` return the command's own code, and 255 where kraft itself failed.

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
    const text = printHelp(findTask(registry, name)).replaceAll(/\nOptions of every task(?: on nodes)?\n( {2}.*\n)+/g, '\n')
    return `\n### ${name}\n\n\`\`\`text\n${text.trim().replace(/\n{3,}/g, '\n\n')}\n\`\`\`\n`
  }
}
