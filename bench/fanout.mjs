// One command on 60 nodes at once, against as many ssh at once with the same key exchange: wall-clock and processor time.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { overCable } from './cable.mjs'
import { ratio, spread, time } from './measure.mjs'
import { call, env, kraft, openssh, outside } from './place.mjs'

export const about = 'a command on 60 nodes'
export const needsNode = true

const count = 60

export async function measure({ runs, signal, row }) {
  const nodes = Array.from({ length: count }, (_, n) => `fan${n}`)
  const waiting = [...nodes]
  const make = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await call(['provision', name], { signal })
  }
  await Promise.all([make(), make(), make()])
  for (const delay of [0, 25.5]) {
    const cable = await overCable(outside, nodes, delay)
    try {
      const all = join(outside, 'all.sh')
      const each = cable.names.map((name) => {
        const [ssh, ...options] = openssh(name)
        return [ssh, '-o', 'KexAlgorithms=curve25519-sha256', ...options, 'hostname'].join(' ')
      })
      writeFileSync(all, `${each.map((line) => `${line} &`).join('\n')}\nwait\n`)
      const [ssh, fan] = await turns(
        [
          ['sh', all],
          [...kraft, `run:${cable.names.join(',')}`, '--', 'hostname'],
        ],
        runs,
        signal,
      )
      const at = delay === 0 ? '' : `, ${delay * 2} ms away`
      row({ what: `${count} ssh at once${at}`, ...spread(ssh.wall) })
      row({ what: `kraft run on ${count} nodes${at}`, ...spread(fan.wall), ratio: ratio(fan.wall, ssh.wall), most: 1 })
      row({ what: `processor time of ${count} ssh${at}`, ...spread(ssh.cpu) })
      row({ what: `processor time of kraft run${at}`, ...spread(fan.cpu), ratio: ratio(fan.cpu, ssh.cpu), most: 1 })
    } finally {
      await cable.stop()
    }
  }
}

/** Wall-clock and processor time in milliseconds of each command, in turns. bash knows what it and all that it waited for took. */
async function turns(commands, runs, signal) {
  const times = commands.map(() => ({ wall: [], cpu: [] }))
  for (let run = 0; run < runs; run++)
    for (const [index, command] of commands.entries()) {
      const timed = ['bash', '-c', 'TIMEFORMAT="processor %U %S"; time "$@"', 'bash', ...command]
      const { milliseconds, said } = await time(timed, { cwd: outside, env, signal })
      const [, user, system] = /processor ([\d.]+) ([\d.]+)/.exec(said) ?? []
      times[index].wall.push(milliseconds)
      times[index].cpu.push((Number(user) + Number(system)) * 1000)
    }
  return times
}
