// A recipe of 40 things that are all there already, against one script with the same checks over one ssh.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { overCable } from './cable.mjs'
import { inTurns, ratio, spread } from './measure.mjs'
import { env, kraft, openssh, outside, root } from './place.mjs'

export const about = 'a converged recipe of 40 things'
export const needsNode = true

const kraftfile = `import { sh, task } from 'kraftwerk'
import { apt } from 'kraftwerk/recipes/apt'
import { directory, file, link } from 'kraftwerk/recipes/file'

const each = <T>(make: (n: number) => T): T[] => Array.from({ length: 10 }, (_, n) => make(n))
export const things = [
  ...each((n) => directory({ path: \`/srv/forty/\${n}\` })).flat(),
  ...each((n) => file({ path: \`/srv/forty/\${n}/file\`, content: \`content \${n}\\n\`.repeat(20), mode: '0640' })).flat(),
  ...each((n) => link({ path: \`/srv/forty/\${n}/link\`, to: \`/srv/forty/\${n}/file\` })).flat(),
  ...['nginx', 'curl', 'runit', 'sudo', 'python3'].flatMap((name) => [...apt(name)]),
  ...Array.from({ length: 5 }, (_, n) => ({
    title: \`Mark \${n}\`, check: sh\`test -e \${\`/srv/forty/mark-\${n}\`}\`, apply: sh\`touch \${\`/srv/forty/mark-\${n}\`}\`,
  })),
]
/** Forty things. */
export const forty = task({ on: 'each', needs: 'nodes', steps: () => things })
`

export async function measure({ runs, signal, row, node }) {
  const project = join(outside, 'forty')
  mkdirSync(join(project, 'node_modules'), { recursive: true })
  symlinkSync(root, join(project, 'node_modules', 'kraftwerk'))
  writeFileSync(join(project, 'kraftfile.ts'), kraftfile)
  const script = join(project, 'checks.sh')
  writeFileSync(script, plainChecks(), { mode: 0o600 })
  for (const delay of [0, 25.5]) {
    const cable = await overCable(outside, [node], delay)
    try {
      const [far = ''] = cable.names
      const task = { command: [...kraft, `forty:${far}`], cwd: project, env }
      const bare = { command: ['sh', '-c', '"$@" sh -s <"$0"', script, ...openssh(far)], cwd: outside, env }
      // The first makes them all.
      await inTurns({ task }, 1, signal)
      const times = await inTurns({ bare, task }, runs * 2, signal)
      const at = delay === 0 ? '' : `, ${delay * 2} ms away`
      row({ what: `40 checks, one script over ssh${at}`, ...spread(times.bare) })
      row({
        what: `a converged recipe of 40 things${at}`,
        ...spread(times.task),
        ratio: ratio(times.task, times.bare),
        most: 1.5,
      })
    } finally {
      await cable.stop()
    }
  }
}

/** The checks of those things as anybody would write them into one script that stops at the first that does not hold. */
function plainChecks() {
  const ten = Array.from({ length: 10 }, (_, n) => n)
  const content = (n) => `content ${n}\n`.repeat(20).trimEnd()
  return [
    'set -e',
    ...ten.map((n) => `test -d /srv/forty/${n}; test "$(stat -c '%U %G %a' /srv/forty/${n})" = 'root root 755'`),
    ...ten.map(
      (n) =>
        `test "$(cat /srv/forty/${n}/file)" = '${content(n)}'; test "$(stat -c '%U %G %a' /srv/forty/${n}/file)" = 'root root 640'`,
    ),
    ...ten.map((n) => `test "$(readlink /srv/forty/${n}/link)" = /srv/forty/${n}/file`),
    ...['nginx', 'curl', 'runit', 'sudo', 'python3'].map(
      (name) => `dpkg-query -W -f='\${db:Status-Abbrev}' ${name} | grep -q '^ii'`,
    ),
    ...[0, 1, 2, 3, 4].map((n) => `test -e /srv/forty/mark-${n}`),
    '',
  ].join('\n')
}
