import { KraftError } from '../engine/errors/failure.js'
import type { Line } from '../engine/report/report.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { runTask } from '../engine/task/run.js'
import type { Session } from '../engine/task/session.js'
import { type Needs, task } from '../engine/task/task.js'
import { isCodeOnly } from '../project/code-only.js'
import { instanceOf, requireInstance } from '../project/instance.js'
import { privateFiles } from '../project/private-files.js'
import { loadProject, type Project } from '../project/settings.js'
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
  help: 'make the local nodes that an environment lacks, prepare them, deploy, and open the site',
  examples: ['kraft up', 'kraft up:stage', 'kraft up --watch'],
  options: { watch: option({ type: 'boolean', help: 'then deploy whenever a file is saved, until Ctrl-C' }) },
  async run({ target, session, line, options }) {
    const project = await loadProject(session.folder, knownKinds())
    if (project === undefined) {
      throw new KraftError({
        kind: 'usage',
        message: 'up needs a project, and there is no kraftwerk.yaml here or in a folder above',
        next: 'Go to the folder of the project, or make one: kraft init NAME',
      })
    }
    const word = target.word === '' ? defaultWord(project, session.user.default_node) : target.word
    const names = nodesOf(project, word)
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
    return new Result([...urls, ...hosts].join('\n'), { url, urls, browser: browser ?? null })
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
