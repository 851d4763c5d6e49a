// `kraft run:NODE -- true` against `ssh NODE true`: the same node, key and verified host keys.
import { inTurns, more, spread } from './measure.mjs'
import { env, kraft, openssh, outside } from './place.mjs'

export const about = 'kraft run:NODE -- true'
export const needsNode = true

export async function measure({ runs, signal, row, node, project }) {
  const ssh = openssh(node)
  const run = [...kraft, `run:${node}`, '--', 'true']
  const times = await inTurns(
    {
      ssh: { command: [...ssh, 'true'], cwd: outside, env },
      outside: { command: run, cwd: outside, env },
      inside: { command: run, cwd: project, env },
    },
    runs * 3,
    signal,
  )
  row({ what: 'ssh NODE true', ...spread(times.ssh) })
  row({ what: 'kraft run:NODE -- true', ...spread(times.outside), over: 'ssh', more: more(times.outside, times.ssh) })
  row({ what: "the same in a project's environment", ...spread(times.inside), over: 'ssh', more: more(times.inside, times.ssh) })
}
