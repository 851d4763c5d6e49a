import type { Target } from '../engine/task/context.js'
import { ExitCode, Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { type Task, task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { becomeInstance } from '../recipes/service-shell.js'
import { firstWebNode } from './first-node.js'
import { serviceOption, usedService } from './used-service.js'

/** Opens the own shell of any service. */
export const serviceShell = task({
  on: 'once',
  group: 'Data',
  help: "open a service's own shell on the node\nAs the instance's user. Also for services of your kraftfile.",
  changes: 'what you type there',
  examples: ['kraft service-shell:stage postgres', 'kraft service-shell:stage redis -- ping'],
  needs: 'instance',
  raw: true,
  takesRest: true,
  options: {
    service: serviceOption,
  },
  run: ({ target, options, rest, session }) => openShell(target, options.service, rest, session),
})

/** The PostgreSQL client, on the instance's database. */
export const psql = shellOf('postgres', 'psql', [
  'kraft psql:stage',
  "kraft psql:stage -- -c 'SELECT 1'",
  'kraft psql:stage < report.sql',
])

/** The redis client, on the instance's server. */
export const redisCli = shellOf('redis', 'redis-cli', ['kraft redis-cli:stage', 'kraft redis-cli:stage -- info memory'])

/** The MariaDB client, on the instance's database. */
export const mysql = shellOf('mysql', 'mariadb', ['kraft mysql:stage', "kraft mysql:stage -- -e 'SHOW TABLES'"])

/** The SQLite client, on the instance's database. */
export const sqlite3 = shellOf('sqlite', 'sqlite3', ['kraft sqlite3:stage', 'kraft sqlite3:stage -- .tables'])

function shellOf(service: string, program: string, examples: readonly string[]): Task {
  return task({
    on: 'once',
    group: 'Data',
    help: `open ${program} on the service ${service}\nAs the instance's user on the node. What follows -- is for ${program}.`,
    changes: 'what you type there',
    examples,
    needs: 'instance',
    raw: true,
    takesRest: true,
    run: ({ target, rest, session }) => openShell(target, service, rest, session),
  })
}

async function openShell(target: Target, name: string, rest: readonly string[], { flags }: Session) {
  const instance = requireInstance(target)
  const { service, settings, where } = await usedService(instance, target, name, 'shell')
  const node = firstWebNode(target)
  const words = [...service.shell(instance, settings), ...rest]
  if (flags.dryRun) {
    return new Result(`Would run on ${node.name}, as ${instance.name}: ${words.join(' ')}`, { node: node.name, command: words })
  }
  const command = node.asRoot(
    becomeInstance(instance, words, where === undefined ? undefined : layout.access(instance, name)).text,
  )
  const { runInteractive, runPiped } = await import('../engine/ssh/terminal.js')
  const run = process.stdin.isTTY && process.stdout.isTTY ? runInteractive : runPiped
  return new ExitCode(await run(node.connection, command))
}
