import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Files, writeFiles } from './cli.js'
import { provisionPrepared } from './prepared-node.js'
import type { startKraft } from './running.js'
import { beginStory, type Story } from './story-node.js'

/** An application with three services, of which `slow` is swapped last, and takes as long as /etc/slow is there. */
export const yaml = (more = '') => `name: depot
domain: depot.test
wsgi: depot.wsgi:application
packages: []
workers: 2
services: [postgres, files, slow]
${more}
environments:
  stage: { nodes: [one] }
  live: { live: true, name: depot-live, domain: live.test, nodes: [one] }
`
const kraftfile = `import { service, sh } from 'kraftwerk'
const at = ({ home }, what) => \`\${home}/slow.\${what}\`
export const slow = service({
  name: 'slow',
  setup: (place) => [{ title: 'Slow', check: sh\`test -e \${at(place, 'live')}\`, apply: sh\`echo first >\${at(place, 'live')}\` }],
  data: {
    member: 'slow.txt',
    namedByOthers: true,
    dump: (place) => sh\`
      while [ -e /etc/slow-dump ]; do sleep 0.1; done
      cp \${at(place, 'live')} "$KRAFT_OUT"
      echo lines 1
    \`,
    count: () => sh\`echo lines 1\`,
    beside: (place) => sh\`
      cp "$KRAFT_IN" \${at(place, 'beside')}
      while [ -e /etc/fill ]; do head -c 10M /dev/zero >>\${at(place, 'beside')}; sleep 0.05; done
      while [ -e /etc/slow-beside ]; do sleep 0.1; done
    \`,
    countBeside: () => sh\`echo lines 1\`,
    swap: (place) => sh\`
      mv \${at(place, 'live')} \${at(place, 'former')}
      while [ -e /etc/slow ]; do sleep 0.1; done
      mv \${at(place, 'beside')} \${at(place, 'live')}
    \`,
    undo: (place) => sh\`
      if [ -e \${at(place, 'former')} ]; then
        if [ -e \${at(place, 'live')} ]; then mv \${at(place, 'live')} \${at(place, 'beside')}; fi
        mv \${at(place, 'former')} \${at(place, 'live')}
      fi
    \`,
    keep: (place) => sh\`if [ -e \${at(place, 'beside')} ]; then mv \${at(place, 'beside')} \${at(place, 'former')}; fi\`,
    forget: (place) => sh\`rm -f \${at(place, 'former')}\`,
    discard: (place) => sh\`rm -f \${at(place, 'beside')}\`,
  },
  destroy: ({ home }) => [{ title: 'No slow', check: sh\`test ! -e \${home}/slow.live\`, apply: sh\`rm -f \${home}/slow.*\` }],
})
`
const files: Files = {
  'kraftwerk.yaml': yaml(),
  'kraftfile.ts': kraftfile,
  'package.json': '{ "type": "module" }',
  'depot/__init__.py': '',
  'depot/wsgi.py': `import subprocess
def application(environ, start_response):
    asked = subprocess.run(['psql', '-XAtqc', 'SELECT count(*) FROM word'], capture_output=True, text=True)
    start_response('200 OK' if asked.returncode == 0 else '500 No', [('Content-Type', 'text/plain')])
    return [(asked.stdout + asked.stderr).strip().encode()]
`,
}

export let story: Story
export let project: string
export let address: string

/** A node that serves it, with a bundle in which all three hold the word new, and the word old live. */
export async function beginDepot(): Promise<void> {
  story = await beginStory('httpbin')
  project = join(story.home, 'depot')
  await writeFiles(project, files)
  await mkdir(join(project, 'node_modules'))
  await symlink(join(import.meta.dirname, '../..'), join(project, 'node_modules/kraftwerk'))
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  await writeFile(join(project, 'kraftwerk.yaml'), yaml('health: { path: /, status: [200, 500] }'))
  await must('deploy:stage')
  await put('new')
  await must('dump:stage', 'new.bundle')
  await put('old')
}

/** After a test, whatever it has come to. */
export const hurry = () => root('rm -f /etc/slow /etc/slow-beside /etc/slow-dump /etc/fill')

export const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
export const must = (...args: string[]) => story.must(args, { cwd: project })
export const root = async (script: string) => (await story.onNode('one', script)).trim()
/** Runs bash as the instance, in its environment. */
export const as = async (script: string, where = 'stage') =>
  (await must(`run:${where}`, '--', 'bash', '-ec', script)).stdout.trim()
/** All three services hold this word. */
export const put = async (word: string, where = 'stage', name = 'depot') => {
  await as(
    `psql -XAtqc "DROP TABLE IF EXISTS word; CREATE TABLE word AS SELECT '${word}' AS text"; echo ${word} >"$UPLOADS_PATH/word"`,
    where,
  )
  await root(`echo ${word} >/web/${name}/slow.live`)
}
export const state = (name = 'depot') =>
  root(`runuser -u ${name} -- psql -XAtqc 'SELECT text FROM word' ${name}; cat /web/${name}/uploads/word /web/${name}/slow.live`)
export const all = (word: string) => `${word}\n${word}\n${word}`
export const left = () =>
  root(`cd /web/depot; ls -A dump . | grep -e exchange -e load- -e beside || :
    runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname LIKE '%+beside'"`)

/** Waits until a load has come so far that this holds on the node. */
export async function reached(running: ReturnType<typeof startKraft>, test: string): Promise<void> {
  let over = ''
  void running.ended.then(({ stderr }) => {
    over = `It ended before:\n${stderr}`
  })
  while (over === '' && (await root(`if ${test}; then echo there; fi`)) === '') await pause(50)
  expect(over).toBe('')
}
export const inSwap = '[ -e /web/depot/dump/exchange ] && [ ! -e /web/depot/slow.live ]'
