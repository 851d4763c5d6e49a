// One command over a cable with latency, and without: cold and over a kept connection, against plain `ssh` in the same turns.
import { overCable } from './cable.mjs'
import { inTurns, ratio, spread, time } from './measure.mjs'
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
  const cable = await overCable(outside, [node], milliseconds)
  const [far = ''] = cable.names
  const ssh = [...openssh(far), 'true']
  const { CI: _, ...person } = env
  const run = [...kraft, `run:${far}`, '--', 'true']
  const disconnect = () => time([...kraft, 'disconnect'], { cwd: outside, env: person, signal })
  try {
    // As in a job of CI, which keeps nothing.
    const alone = { ...person, CI: '1' }
    const times = await inTurns(
      {
        ssh: { command: ssh, cwd: outside, env },
        alone: { command: run, cwd: outside, env: alone },
        cold: { command: run, cwd: outside, env: person, before: disconnect },
        warm: { command: run, cwd: outside, env: person },
      },
      runs * 2,
      signal,
    )
    const turns = {}
    for (const [name, command, its] of [
      ['ssh', ssh, env],
      ['alone', run, alone],
      ['warm', run, person],
    ]) {
      cable.turns()
      await time(command, { cwd: outside, env: its, signal })
      turns[name] = `${cable.turns()} round trips`
    }
    const against = (name) => ({ ...spread(times[name]), ratio: ratio(times[name], times.ssh), most: 1.1 })
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
    await cable.stop()
  }
}
