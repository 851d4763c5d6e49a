import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

const files: Files = {
  'kraftwerk.yaml': 'name: tight\nwsgi: tight.wsgi:application\nenvironments: { stage: { nodes: [one] } }\n',
  'tight/__init__.py': '',
  // What is touched is in memory; 60 MB in each worker.
  'tight/wsgi.py': `ballast = bytearray(b'x') * (60 << 20)
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'served']
`,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'tight')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })

/** A container is shown a limit of memory that way: a file over /proc/meminfo, as lxcfs puts it there. */
async function free(megabytes: number | undefined, swap = 0): Promise<void> {
  const rows = `MemTotal: 1048576 kB\\nMemAvailable: ${(megabytes ?? 0) * 1024} kB\\nSwapFree: ${swap * 1024} kB\\n`
  const over = `printf '${rows}' >/run/meminfo; mount --bind /run/meminfo /proc/meminfo`
  await story.onNode('one', `umount /proc/meminfo 2>/dev/null || :; ${megabytes === undefined ? ':' : over}`)
}

/** A limit of a container, as its cgroups show it, where its supervisor is. In megabytes; undefined: none any more. */
async function limit(
  given: { readonly max: string; readonly current: number; readonly files: number } | undefined,
): Promise<void> {
  const bytes = (megabytes: number) => String(megabytes * 1048576)
  const group = '/sys/fs/cgroup/system.slice/runit.service'
  const over = ({ max, current, files }: NonNullable<typeof given>) => `mount -t tmpfs none ${group}; cd ${group}
    echo ${max} >memory.max; echo ${bytes(current)} >memory.current; echo 0 | tee memory.swap.max >memory.swap.current
    printf 'anon 1\\nfile 2\\ninactive_file %s\\nactive_file %s\\nslab_reclaimable 0\\n' ${bytes(files)} ${bytes(files)} >memory.stat`
  await story.onNode('one', `umount ${group} 2>/dev/null || :; ${given === undefined ? ':' : over(given)}`)
}

const untouched = async () => {
  expect(
    (await story.onNode('one', 'ls /web/tight 2>/dev/null || :; ls /etc/sv')).split('\n').filter((row) => row.includes('tight')),
  ).toEqual([])
}

test('a first deploy that memory cannot hold is refused before anything is there', async () => {
  await free(90)
  const ran = await kraft('deploy:stage')
  expect(ran.code).toBe(1)
  expect(failure(ran.stderr)).toContain(
    '2 workers of tight take about 120 MB beside what runs; free are 90 MB of memory and 0 MB of swap',
  )
  await untouched()
  // Swap counts: a peak may be slow.
  await free(90, 40)
  await story.must(['deploy:stage'], { cwd: project })
  // There is one to go back to.
  await free(4000)
  await story.must(['deploy:stage'], { cwd: project })
})

test('what runs now is the measure of the next deploy, reload and rollback, each refused while the site goes on', async () => {
  const before = await story.onNode('one', 'ls /web/tight/releases; ls /etc/sv')
  await free(100)
  const planned = await kraft('deploy:stage', '--dry-run')
  expect(planned.stdout + planned.stderr).toMatch(/2 workers of tight take about 1[2-9]\d MB beside what runs/)
  for (const task of ['deploy', 'reload', 'rollback']) {
    const ran = await kraft(`${task}:stage`)
    expect([task, ran.code]).toEqual([task, 1])
    const said = failure(ran.stderr)
    expect(said).toMatch(/2 workers of tight take about 1[2-9]\d MB beside what runs; free are 100 MB of memory/)
    expect(said).toContain('kraft stop')
    expect(ran.stderr).not.toContain('Take it back')
  }
  expect(await story.onNode('one', 'ls /web/tight/releases; ls /etc/sv')).toBe(before)
  expect((await ask(await story.address('one'), { host: await story.address('one'), path: '/' })).text).toBe('served')
})

test('a stopped site has no old processes, and fewer workers take less', async () => {
  await free(130)
  expect((await kraft('reload:stage')).code).toBe(1)
  await story.must(['stop:stage'], { cwd: project })
  await story.must(['reload:stage'], { cwd: project })
  await free(128)
  await story.onNode('one', 'mkdir -p /etc/kraftwerk/tight/scale; echo 1 >/etc/kraftwerk/tight/scale/web')
  await story.must(['reload:stage'], { cwd: project })
})

test('what a container may have counts where that is less, and files in memory make room', async () => {
  await free(4000, 500)
  await limit({ max: String(300 << 20), current: 280, files: 20 })
  const ran = await kraft('reload:stage')
  expect(ran.code).toBe(1)
  expect(failure(ran.stderr)).toContain('free are 60 MB of memory and 0 MB of swap')
  await limit({ max: String(300 << 20), current: 280, files: 90 })
  await story.must(['reload:stage'], { cwd: project })
  await limit({ max: 'max', current: 280, files: 0 })
  await story.must(['reload:stage'], { cwd: project })
  await limit(undefined)
  await free(undefined)
})
