// 10,000 files of which one changed, to a release of its own that is proven file by file, against `rsync -a` over ssh, which changes
// what is there in place.
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { overCable } from './cable.mjs'
import { inTurns, ratio, spread, time } from './measure.mjs'
import { call, env, kraft, openssh, outside, root } from './place.mjs'

export const about = 'the upload of 10,000 files, one changed'
export const needsNode = true

const home = '/srv/upload'
// The upload of a deploy and nothing else of it: list, hash, ask, send, put together, name it current.
const kraftfile = (project) => `import { task } from 'kraftwerk'
import { openSource, upload } from '${root}/dist/tasks/upload.js'

/** Upload. */
export const uploadOnce = task({
  on: 'once',
  needs: 'nodes',
  async run({ target, session, line }) {
    const [node] = target.nodes
    const id = new Date().toISOString().replace(/\\D/g, '')
    const code = await openSource({ folder: '${project}', project: { folder: '${project}', settings: {}, environments: {} } } as never, session, undefined)
    const release = { place: { name: 'root', home: '${home}' } as never, id, generation: id }
    await upload(node, code, release, line, { dryRun: false, alone: true })
    const serve = \`cd ${home}; mv -T releases/.\${id} releases/\${id}; : >releases/\${id}/.kraft/served; ln -sfnT releases/\${id} current\`
    await node.read(serve)
  },
})
`

export async function measure({ runs, signal, row, node }) {
  const project = join(outside, 'upload')
  const caller = join(outside, 'upload-caller')
  mkdirSync(join(caller, 'node_modules'), { recursive: true })
  symlinkSync(root, join(caller, 'node_modules', 'kraftwerk'))
  writeFileSync(join(caller, 'kraftfile.ts'), kraftfile(project))
  for (let n = 0; n < 10_000; n++) {
    const folder = join(project, `package${n % 100}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `module${n}.py`), `value = ${n}\n`.repeat(50 + (n % 500)))
  }
  const install = 'command -v rsync || apt-get install -qq rsync || sudo -n apt-get install -qq rsync'
  await time(['sh', '-c', install], { cwd: outside, env, signal })
  await call([`run:${node}`, '--', 'sh', '-c', install], { signal })
  await call([`run:${node}`, '--', 'mkdir', '-p', `${home}/releases`, `${home}/rsync`], { signal })
  for (const delay of [0, 25.5]) {
    const cable = await overCable(outside, [node], delay)
    try {
      const [far = ''] = cable.names
      const ssh = openssh(far)
      const login = ssh.at(-1)
      const at = delay === 0 ? '' : `, ${delay * 2} ms away`
      const change = (run) => appendFileSync(join(project, 'package5', 'module5.py'), `# ${delay} ${run}\n`)
      // Old releases go before the clock starts, as `kraft deploy` removes them when all is done.
      const old = `cd ${home}/releases && ls | sort -r | tail -n +3 | xargs -r rm -rf`
      const commands = {
        rsync: {
          command: ['rsync', '-a', '-e', ssh.slice(0, -1).join(' '), `${project}/`, `${login}:${home}/rsync/`],
          before: change,
          cwd: outside,
          env,
        },
        kraft: {
          command: [...kraft, `upload-once:${far}`],
          cwd: caller,
          env,
          before: async (run) => {
            change(`${run} again`)
            await time([...ssh, old], { cwd: outside, env, signal })
          },
        },
      }
      // The first sends them all.
      await inTurns(commands, 1, signal)
      cable.turns()
      const times = await inTurns(commands, runs, signal)
      row({ what: `rsync -a of 10,000 files, one changed${at}`, ...spread(times.rsync) })
      row({ what: `kraft's upload of the same${at}`, ...spread(times.kraft), ratio: ratio(times.kraft, times.rsync) })
    } finally {
      await cable.stop()
    }
  }
}
