import { KraftError } from '../engine/errors/failure.js'
import type { Line } from '../engine/report/report.js'
import { noProject } from '../engine/task/no-project.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { runTask } from '../engine/task/run.js'
import type { Session } from '../engine/task/session.js'
import { type Needs, task } from '../engine/task/task.js'
import { isCodeOnly } from '../project/code-only.js'
import { instanceOf, requireInstance } from '../project/instance.js'
import { privateFiles } from '../project/private-files.js'
import { loadProject, type Project } from '../project/settings.js'
import { readApplication } from '../recipes/application.js'
import { facingVisitors } from '../recipes/followers.js'
import { knownKinds, loadKind } from '../recipes/kinds.js'
import { openBrowser } from './browser.js'
import { offerHosts } from './offer-hosts.js'
import { startMachines } from './start-machines.js'
import { urlsOf } from './urls.js'
import { deployOnSave } from './watch.js'

/** The name of the node where the project names none. */
const firstNode = 'one'

/** From a folder to a running site on local nodes. */
export const up = task({
  on: 'once',
  connection: 'new',
  needs: 'nothing',
  optionalTarget: true,
  group: 'Start',
  meantBy: ['setup', 'launch'],
  help: 'from a folder to a site on local nodes, in one go\nMakes the nodes that an environment lacks, starts those that lie still, prepares them, deploys, and opens the site.',
  changes: 'as provision, bootstrap and deploy do',
  examples: ['kraft up', 'kraft up:stage', 'kraft up --watch'],
  options: { watch: option({ type: 'boolean', help: 'then deploy whenever a file is saved, until Ctrl-C' }) },
  async run({ target, session, line, options }) {
    const project = await loadProject(session.folder, knownKinds())
    if (project === undefined) throw noProject('up')
    const word = target.word === '' ? defaultWord(project, session.user.default_node) : target.word
    // A misspelt environment is no name for a new node; what is near is said by whoever knows targets.
    if (!isNamed(project, word)) await session.resolve(word, 'instance', false)
    const names = nodesOf(project, word)
    // What no deploy would take is said before minutes are spent on a node.
    const environment = Object.hasOwn(project.environments, word) ? word : undefined
    const isAlone = Object.keys(project.environments).length === 0
    if (environment !== undefined || isAlone) await readApplication(instanceOf(project, environment))
    const [missing, lying] = await lacking(session, names)
    // Each when its turn comes: until then its nodes may not be there.
    const found = async (what: string, needs: Needs) => {
      const [one] = await session.resolve(what, needs, false)
      if (one === undefined) throw new Error(`nothing stands behind ${what}`)
      return one
    }
    const call = async (name: string, what: string, needs: Needs, options: Readonly<Record<string, unknown>> = {}) => ({
      task: await session.task(name),
      target: await found(what, needs),
      options,
      rest: [],
      session,
    })
    const through = (title: string, ...asked: Parameters<typeof call>) => ({
      title,
      run: async (own: Line) => void (await runTask(await call(...asked), own)),
    })
    const work = [
      ...missing.map((name) =>
        through(`provision ${name} --provider local`, 'provision', name, 'nothing', { name, provider: 'local' }),
      ),
      ...lying.map((name) => ({
        title: `start ${name}`,
        run: async (own: Line) => void (await startMachines({ target: await found(name, 'nodes'), session, line: own })),
      })),
      ...names.map((name) => through(`bootstrap:${name}`, 'bootstrap', name, 'nodes')),
      through(`deploy:${word}`, 'deploy', word, 'instance'),
    ]
    if (session.flags.dryRun && missing.length + lying.length > 0) {
      const rows = work.map(({ title }) => `  ${title}`)
      return new Result(['Would do, one after the other:', ...rows].join('\n'), {
        missing,
        stopped: lying,
      })
    }
    await line.list(work)
    const there = await found(word, 'instance')
    const instance = requireInstance(there)
    const nodes = facingVisitors(there.nodes)
    const urls = await urlsOf(instance, nodes)
    if (session.flags.dryRun) return new Result(urls.join('\n'), { urls })
    const { domain } = instance.settings
    const [address = ''] = nodes.map(({ record }) => record.address)
    const hosts = domain === undefined ? [] : await offerHosts(session, domain, address)
    const [url = ''] = urls
    const browser = await openBrowser(url)
    if (options.watch) {
      const title = `Deploy to ${urls.join(' ')} at each save`
      await line.list([
        {
          title,
          run: (own) => {
            const codeOnly = (changed: readonly string[]) => isCodeOnly(changed, instance.settings)
            const { folder } = project
            return deployOnSave({ folder, stays: privateFiles(project), word, codeOnly, ended: session.ended }, own)
          },
        },
      ])
    }
    return new Result(
      [...urls, ...hosts].join('\n'),
      { url, urls, browser: browser ?? null },
      options.watch ? undefined : `kraft up:${word} --watch`,
    )
  },
})

function defaultWord(project: Project, defaultNode: string | undefined): string {
  const all = Object.keys(project.environments)
  if (all.length === 0) return project.settings.default_node ?? defaultNode ?? firstNode
  const harmless = all.filter((name) => !instanceOf(project, name).settings.live)
  const [only] = all.length === 1 ? all : harmless
  if (only !== undefined && (all.length === 1 || harmless.length === 1)) return only
  throw new KraftError({
    kind: 'usage',
    message: `up needs one of the environments: ${all.join(', ')}`,
    next: `Say which: kraft up:${harmless[0] ?? all[0]}`,
  })
}

/** Whether a project has this environment or a node of this name in one; with no environments any name is as good. */
function isNamed(project: Project, word: string): boolean {
  const all = Object.keys(project.environments)
  const nodes = all.flatMap((name) => instanceOf(project, name).settings.nodes)
  return all.length === 0 || all.includes(word) || nodes.some(({ name }) => name === word)
}

function nodesOf(project: Project, word: string): readonly string[] {
  if (!Object.hasOwn(project.environments, word)) return [word]
  const { nodes } = instanceOf(project, word).settings
  if (nodes.length > 0) return nodes.map(({ name }) => name)
  throw new KraftError({
    kind: 'setting',
    place: project.place(['environments', word], 'key'),
    message: `The environment ${word} has no nodes`,
    next: `Name one, and up makes it: nodes: [${firstNode}]`,
  })
}

/** The nodes that are not there, and those that don't run. Throws `usage` for one that is no local node: up is for this machine. */
async function lacking(session: Session, names: readonly string[]) {
  const inventory = await session.inventory()
  const provider = await loadKind('providers', 'local')
  const missing: string[] = []
  const lying: string[] = []
  for (const name of names) {
    const record = inventory.get(name)
    if (record === undefined) missing.push(name)
    else if (record.provider !== provider.name) {
      throw new KraftError({
        kind: 'usage',
        message: `up is for local nodes, and ${name} is one of ${record.provider}`,
        next: `kraft bootstrap:${name} prepares it, and kraft deploy puts the project there`,
      })
    } else {
      const state = await provider.describe(record, {})
      if (state === 'missing') missing.push(name)
      else if (state !== 'running') lying.push(name)
    }
  }
  return [missing, lying] as const
}
