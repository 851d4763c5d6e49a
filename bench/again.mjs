// What people do every day, again: a bootstrap that finds everything done, a deploy with one changed file, a reload.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, spread } from './measure.mjs'
import { env, kraft, outside } from './place.mjs'

export const about = 'bootstrap, deploy, reload again'
export const needsNode = true

export async function measure({ runs, signal, row, node, project }) {
  const change = (run) => appendFileSync(join(project, 'guestbook', 'urls.py'), `# Change ${run}\n`)
  const times = await inTurns(
    {
      bootstrap: { command: [...kraft, `bootstrap:${node}`], cwd: outside, env },
      deploy: { command: [...kraft, `deploy:${node}`], cwd: project, env, before: change },
      reload: { command: [...kraft, `reload:${node}`], cwd: project, env },
    },
    runs,
    signal,
  )
  row({ what: 'a second bootstrap', ...spread(times.bootstrap) })
  row({ what: 'a second deploy, one file changed', ...spread(times.deploy) })
  row({ what: 'a reload', ...spread(times.reload) })
}
