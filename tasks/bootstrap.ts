import { setTimeout as sleep } from 'node:timers/promises'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { printError } from '../engine/errors/print.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import type { Applied } from '../engine/step/show.js'
import type { Target } from '../engine/task/context.js'
import { eachNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { isInstance } from '../project/instance.js'
import { bootstrap as phases } from '../recipes/bootstrap.js'
import { servingNode } from '../recipes/elsewhere.js'
import { type Changes, countChanges } from './changes.js'

/** Prepares nodes: runit, nginx, Python, PostgreSQL, redis, firewall, updates. Run again, it changes nothing. */
export const bootstrap = task({
  on: 'once',
  independent: true,
  connection: 'new',
  needs: 'nodes',
  group: 'Nodes',
  help: 'prepare a node: runit, nginx, Python, PostgreSQL, redis\nAlso the firewall, sshd and updates. Run again, it changes nothing.',
  changes: "packages, the user web and /web, nginx, the firewall, sshd, updates, locale, swap and clock; no project's data",
  examples: ['kraft bootstrap:one', 'kraft bootstrap:one --dry-run'],
  async run({ target, session, line }) {
    const ran = await eachNode(session, target.nodes, line, (node, own) => prepare(node, isServed(target, node), session, own))
    const changes = ran.map(({ value }) => value)
    const text = changes
      .map(({ node, changed }) => `${node}: ${changed} ${session.flags.dryRun ? 'would change' : 'changes'}`)
      .join('\n')
    const word = target.project?.environment ?? target.word
    return new Result(text, changes, session.project === undefined ? undefined : `kraft deploy:${word}`)
  },
})

// A deploy installs what a project asks for after all.
function isServed({ project }: Target, { name }: Node): boolean {
  const serving = project !== undefined && isInstance(project) ? servingNode(project) : undefined
  return serving !== undefined && serving.name !== name
}

async function prepare(node: Node, served: boolean, session: Session, line: Line): Promise<Changes> {
  const { stdout } = await node.connection.capture('echo "$SSH_CONNECTION"')
  const sshPort = Number(stdout.trim().split(' ')[3] ?? 22)
  const applied: Applied[] = []
  for (const phase of phases({ sshPort, ...(served ? { services: [] } : {}) })) {
    await line.list([
      { title: phase.title, run: async (own) => void applied.push(await node.apply(phase.title, phase.steps, own)) },
    ])
    const { confirm } = phase
    if (confirm === undefined || session.flags.dryRun) continue
    await line.list([{ title: 'A new login still works', run: (own) => confirmByLogin(node, session, confirm, own) }])
  }
  return countChanges(node.name, applied)
}

// Only a login that is opened now proves that the firewall and sshd let people in.
async function confirmByLogin(node: Node, session: Session, steps: Parameters<Node['apply']>[1], line: Line): Promise<void> {
  try {
    const again = await newLogin(node, session)
    await again.apply('Confirm', steps, line)
  } catch (error) {
    throw new KraftError(
      {
        kind: 'task',
        node: node.name,
        message: 'a new login failed after the firewall and sshd were set up; both go back to what they were within a minute',
        output: printError(error, { debug: false, color: false }).trim(),
        next: `Wait a minute, then: kraft bootstrap:${node.name}`,
      },
      error,
    )
  }
}

// sshd starts itself anew when it is told to reload, and listens to nobody for a moment. The reverts wait for a minute.
async function newLogin({ name, record, roles }: Node, session: Session): Promise<Node> {
  const end = Date.now() + 20_000
  for (;;) {
    await session.disconnect(name)
    const again = session.connect(record, roles)
    try {
      await again.connection.capture('true')
      return again
    } catch (error) {
      if (!isKraftError(error) || error.failure.kind !== 'unreachable' || Date.now() > end) throw error
      await sleep(500)
    }
  }
}
