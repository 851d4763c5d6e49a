import type { Effective } from '../engine/config/effective.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { columns } from './columns.js'

/** Shows what is set for the user and for the project, and where. */
export const config = task({
  on: 'once',
  needs: 'nothing',
  optionalTarget: true,
  group: 'Nodes',
  help: 'show the settings as they count, and where each comes from\nThose of ~/.kraftwerk.yaml, of the providers and of kraftwerk.yaml.',
  changes: 'nothing',
  examples: ['kraft config', 'kraft config:stage', 'kraft config --json'],
  raw: true,
  async run({ target, session }) {
    const own = await ofUser(session)
    const parts = [{ heading: [], rows: own }, ...(await ofProject(session, target.word))]
    const text = parts.map(({ heading, rows }) => [...heading, table(rows)].join('\n')).join('\n\n')
    return new Result(
      text,
      parts.flatMap(({ rows }) => rows),
    )
  },
})

interface Row extends Effective {
  /** Whose it is: the user's, the project's, or that of one of its environments. */
  readonly of: string
}

interface Part {
  readonly heading: readonly string[]
  readonly rows: readonly Row[]
}

function table(rows: readonly Row[]): string {
  return columns([['SETTING', 'VALUE', 'FROM'], ...rows.map(({ setting, value, from }) => [setting, value, from])])
}

async function ofUser({ user }: Session): Promise<readonly Row[]> {
  const [{ effective }, { kindNames, loadKind }] = await Promise.all([
    import('../engine/config/effective.js'),
    import('../recipes/kinds.js'),
  ])
  const names = kindNames('providers')
  const used = names.filter((name) => name === (user.provider ?? 'local') || Object.hasOwn(user.providers, name))
  const providers = await Promise.all(used.map((name) => loadKind('providers', name)))
  return (await effective(user, names, providers)).map((row) => ({ of: 'user', ...row }))
}

async function ofProject(session: Session, word: string): Promise<readonly Part[]> {
  if (session.project === undefined && word === '') return []
  const [{ effectiveProject }, { loadProject }, { knownKinds }] = await Promise.all([
    import('../project/effective.js'),
    import('../project/settings.js'),
    import('../recipes/kinds.js'),
  ])
  const known = knownKinds()
  const project = await loadProject(session.folder, known)
  const isOwn = project !== undefined && Object.hasOwn(project.environments, word)
  // An environment whose nodes are still to be made has settings as well.
  const environments = word === '' ? [undefined] : isOwn ? [word] : await behind(session, word)
  if (project === undefined) return []
  return Promise.all(
    environments.map(async (environment) => {
      const of = environment ?? 'project'
      const rows = (await effectiveProject(project, environment, known)).map((row) => ({ of, ...row }))
      return { heading: [environment === undefined ? project.name : `${project.name}, ${environment}`], rows }
    }),
  )
}

/** The environments that a word means which is none itself: a node's name, `all`. Throws `usage` where it means nothing. */
async function behind(session: Session, word: string): Promise<readonly (string | undefined)[]> {
  const targets = await session.resolve(word, 'instance', false)
  return targets.map((target) => requireInstance(target).environment)
}
