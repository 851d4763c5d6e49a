// One command over a cable with latency, and without: cold and over a kept connection, against plain `ssh` in the same turns.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDelay } from './delay.mjs'
import { inTurns, more, spread, time } from './measure.mjs'
import { env, kraft, openssh, outside } from './place.mjs'

export const about = 'one command, cold and over a kept connection, at 51 ms and at none'
export const needsNode = true

export async function measure({ runs, signal, row, node }) {
  for (const [milliseconds, where] of [
    [0, ''],
    [25.5, ' at 51 ms'],
  ])
    await over(milliseconds, where, { runs, signal, row, node })
}

async function over(milliseconds, where, { runs, signal, row, node }) {
  const ssh = await openssh(node, signal)
  const login = ssh.at(-1)
  const address = login.split('@')[1]
  const cable = await startDelay(22, milliseconds, address)
  const nodes = join(outside, '.kraftwerk', 'nodes.yaml')
  const before = readFileSync(nodes, 'utf8')
  // The same node, keys and login by way of the cable.
  const far = [...ssh.slice(0, -1), '-o', `HostKeyAlias=${address}`, '-p', `${cable.port}`, login.replace(address, '127.0.0.1')]
  writeFileSync(nodes, before.replace(`address: ${address}`, `address: 127.0.0.1\n  port: ${cable.port}`))
  const { CI: _, ...person } = env
  const run = [...kraft, `run:${node}`, '--', 'true']
  const disconnect = () => time([...kraft, 'disconnect'], { cwd: outside, env: person, signal })
  try {
    const alone = { ...person, KRAFT_KEEP_CONNECTIONS: '0' }
    const times = await inTurns(
      {
        ssh: { command: [...far, 'true'], cwd: outside, env },
        alone: { command: run, cwd: outside, env: alone },
        cold: { command: run, cwd: outside, env: person, before: disconnect },
        warm: { command: run, cwd: outside, env: person },
      },
      runs * 2,
      signal,
    )
    const turns = {}
    for (const [name, command, its] of [
      ['ssh', [...far, 'true'], env],
      ['alone', run, alone],
      ['warm', run, person],
    ]) {
      cable.turns()
      await time(command, { cwd: outside, env: its, signal })
      turns[name] = `${cable.turns()} round trips`
    }
    const against = (name) => ({ ...spread(times[name]), over: 'ssh', more: more(times[name], times.ssh) })
    row({ what: `ssh NODE true${where} (${turns.ssh})`, ...spread(times.ssh) })
    row({ what: `kraft run${where}, nothing kept (${turns.alone})`, ...against('alone') })
    row({ what: `kraft run${where}, first one`, ...against('cold') })
    row({
      what: `kraft run${where}, kept connection (${turns.warm})`,
      ...spread(times.warm),
      ...(milliseconds > 0 && { aim: 300 }),
    })
  } finally {
    await disconnect().catch(() => undefined)
    writeFileSync(nodes, before)
    await cable.stop()
  }
}
