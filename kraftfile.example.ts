/**
 * What a kraftfile can do. Copy it to `kraftfile.ts` beside your kraftwerk.yaml and keep what you need: every exported task is
 * a command of `kraft`, its doc comment is its help, and without a kraftfile all built-in tasks work as they are.
 */
import { before, option, result, series, task } from 'kraftwerk'
import { apt } from 'kraftwerk/recipes/apt'
import { template } from 'kraftwerk/recipes/template'
import { deploy, dump, reload } from 'kraftwerk/tasks'

// The name of an exported task is its command: clearCache becomes clear-cache. `$` is zx's own, bound to one node: it runs in
// bash as the site's user, in the current release, with the virtualenv and the site's environment. Every ${value} is quoted.

/** Create missing tables. */ // kraft syncdb:stage -- --fake-initial
export const syncdb = task({
  // On the first web node only, so that nobody migrates twice at once. This is the default; others are 'each', { role } and 'once'.
  on: 'first',
  // Everything after -- arrives as a list, and goes on as separate words.
  run: ({ $, rest }) => $`manage.py migrate ${rest}`,
})

/** Drop old cached pages. */ // kraft clear-cache:live home --hours 2
export const clearCache = task({
  // On every node that has the role, four at a time.
  on: { role: 'web' },
  parallel: 4,
  options: {
    area: option({ type: 'string', positional: true, choices: ['home', 'shop'], required: true, help: 'which pages' }),
    hours: option({ type: 'number', default: 24, help: 'keep younger ones' }),
  },
  // The types of the options come from what is declared above.
  async run({ $, options }) {
    await $`test ! -d cache/${options.area} || find cache/${options.area} -type f -mmin +${options.hours * 60} -delete`
  },
})

/** Install report tools. */ // kraft reports:stage, and with --dry-run it shows what it would change
export const reports = task({
  on: 'each',
  // Steps are data: each checks first whether it is true already, so a second run changes nothing.
  steps: ({ project, facts }) => [
    ...apt('poppler-utils'),
    // templates/reports.conf.ejs beside this file, rendered with these values.
    ...template('reports.conf', { to: `/etc/${project.name}.conf`, vars: { jobs: facts.cpus } }),
  ],
})

/** Copy each node's log here. */ // kraft log-tails:live
export const logTails = task({
  // Once for the whole target: there is no `$`, but each node has one (the login), another as root, and this machine has local.$.
  on: 'once',
  async run({ target, local }) {
    const log = `/web/${target.project?.name}/log/web`
    for (const node of target.nodes) await node.root.$`tail -n 99 ${log}`.pipe(local.$`cat > ${node.name}.log`)
  },
})

/** How full the disks are. */ // kraft disks:live --limit 'web*', and with --json as data
export const disks = task({
  on: 'each',
  async run({ node }) {
    const { stdout } = await node.$`df --output=pcent / | tail -n 1`
    return result(stdout.trim(), { percent: Number.parseInt(stdout, 10) })
  },
})

/** Note what is about to go out. */ // However many tasks need it, it runs once in a call of kraft.
export const notes = task({
  on: 'once',
  onlyOnce: true,
  run: ({ local }) => local.$`git log -1 --format=%s > release-notes.txt || true`,
})

// Tasks compose: each member finishes on all nodes before the next begins. The text is the help.
export const release = series('Dump, deploy, reload', dump.with({ file: 'before.bundle' }), deploy, reload)

// A hook is a task that runs before another one, from wherever that is called. It must succeed, else the other does not start.
before(deploy, notes, reports)
