import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { appendFile, chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { chapters } from '../rig/chapters.js'
import { call, kraftProgram } from '../rig/kraft.js'
import { ensurePackages } from '../rig/packages.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// What a deploy sends to a real node, and what is there afterwards. The project is a plain one that installs nothing but gunicorn.
const { chapter, essential } = chapters()
let story: Story
let project = ''

beforeAll(async () => {
  await ensurePackages(['git'])
  story = await beginStory('guestbook')
  project = join(story.home, 'plain')
  await mkdir(join(project, 'plain'), { recursive: true })
  await put('kraftwerk.yaml', 'version: 1\nwsgi: plain.wsgi:application\nworkers: 1\nenvironments:\n  stage: { nodes: [one] }\n')
  await put('plain/__init__.py', '')
  await answer('first')
})
afterAll(() => story?.remove())

async function put(path: string, text: string | Buffer, mode = 0o644): Promise<void> {
  mkdirSync(join(project, path, '..'), { recursive: true })
  await writeFile(join(project, path), text)
  await chmod(join(project, path), mode)
}

/** The application answers each request with this word. */
async function answer(word: string): Promise<void> {
  const body = `def application(environ, start):\n    start('200 OK', [('Content-Type', 'text/plain')])\n    return [b'${word}']\n`
  await put('plain/wsgi.py', body)
}

const git = async (line: string) => {
  const { code, stderr, stdout } = await story.bash(`git -c user.name=Ada -c user.email=ada@example.com ${line}`, {
    cwd: project,
  })
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

interface Deployed {
  readonly release: string
  readonly commit?: string
  readonly revision?: string
  readonly dirty: boolean
  readonly sent: Readonly<Record<string, { files: number; bytes: number }>>
  readonly stderr: string
}

async function deploy(...args: string[]): Promise<Deployed> {
  const { stdout, stderr } = await story.must(['deploy:stage', '--json', ...args], { cwd: project })
  const value = JSON.parse(stdout)
  return { ...(value.results?.[0] ?? value), stderr }
}

const node = (script: string) => story.onNode('one', script)
const current = (script: string) => node(`cd /web/plain/current; ${script}`)
/** Kind, mode, owner and content or target of all that a release has of the project. */
const look = (id: string) =>
  node(`cd /web/plain/releases/${id}; find . -path ./.kraft -prune -o -printf '%y %m %U %n %s %T@ %p -> %l\\n' | sort
    find . -path ./.kraft -prune -o -type f -exec sha256sum {} + | sort`)

essential('a first deploy sends all of the project', async () => {
  await provisionPrepared(story, ['one'])
  await put('data/random.bin', randomBytes(2_000_000))
  const { sent, dirty, commit } = await deploy()
  expect(sent).toEqual({ one: { files: 4, bytes: expect.any(Number) } })
  expect(sent.one?.bytes).toBeGreaterThan(2_000_000)
  expect([dirty, commit]).toEqual([false, undefined])
})

chapter('a second one sends the bytes of the file that changed, and a dry run says so before', async () => {
  await answer('second')
  const { stderr } = await story.must(['deploy:stage', '--dry-run'], { cwd: project })
  expect(stderr).toMatch(/it would be 1 of 4 files, \d+ B before compression/)
  const deployed = await deploy()
  expect(deployed.sent.one?.files).toBe(1)
  expect(deployed.stderr).toMatch(/Upload 1 of 4 files, \d+ B \(\d+ B sent\)/)
})

chapter('one where nothing changed sends nothing', async () => {
  expect((await deploy()).sent).toEqual({ one: { files: 0, bytes: 0 } })
})

chapter(
  'programs, links and empty folders arrive as they are; what .kraftignore names stays here, what it takes in arrives',
  async () => {
    await put('bin/tool', '#!/bin/sh\n', 0o755)
    await put('.gitignore', '/dist/\n*.secret\n')
    await put('.kraftignore', '!/dist/\n/notes/\n')
    await put('dist/app.js', 'built')
    await put('notes/todo', 'x')
    await put('key.secret', 'x')
    await put("odd/-rf it's\nnew ü", 'odd')
    await mkdir(join(project, 'media/empty'), { recursive: true })
    await symlink('wsgi.py', join(project, 'plain/link.py'))
    const { stderr } = await deploy()
    expect(stderr).not.toContain('leads out')
    expect(await current("stat -c '%A %U:%G %N' bin/tool plain/wsgi.py plain/link.py media/empty dist/app.js")).toBe(
      [
        "-rwxr-x--- root:plain 'bin/tool'",
        "-rw-r----- root:plain 'plain/wsgi.py'",
        "lrwxrwxrwx root:plain 'plain/link.py' -> 'wsgi.py'",
        "drwxr-x--- root:plain 'media/empty'",
        "-rw-r----- root:plain 'dist/app.js'",
        '',
      ].join('\n'),
    )
    expect(await current('ls -A . odd')).not.toMatch(/notes|secret/)
    expect(await current('cat odd/*; ls -A odd | od -c | head -n 3')).toMatch(/^odd.*- {3}r {3}f/s)
  },
)

chapter('whatever is done to a release, the one before it stays byte for byte and mode for mode', async () => {
  const before = (await deploy()).release
  const after = (await deploy()).release
  const seen = await look(before)
  expect(await look(after)).not.toBe('')
  await node(`cd /web/plain/releases/${after}
    find . -path ./.kraft -prune -o -type f -exec sh -c 'for file; do
      echo more >>"$file"; chmod 777 "$file"; chown 1:1 "$file"; touch -d @1 "$file"; : >"$file"; echo x >"$file.new"; mv "$file.new" "$file"
    done' sh {} +`)
  expect(await look(before)).toBe(seen)
  // What was altered is not relied on: the next release is the project's again.
  const { release, sent } = await deploy()
  // A folder's own time is that of its making.
  const files = (text: string) => text.replaceAll(/^d .*\n/gm, '')
  expect(files(await look(release))).toBe(files(seen))
  expect(sent.one?.files).toBeLessThan(8)
})

chapter('a kraft that is killed while it sends leaves nothing that the next deploy stumbles on', async () => {
  const serves = (await current('pwd -P')).trim()
  await put('data/large.bin', randomBytes(150_000_000))
  const said = await call(
    'bash',
    [
      '-c',
      `"$0" "$1" deploy:stage --events 2>events & pid=$!
      for try in $(seq 600); do if grep -q '"progress"' events; then break; fi; sleep 0.05; done
      kill -KILL $pid; wait $pid; grep -c '"progress"' events; grep -c Release events`,
      process.execPath,
      kraftProgram,
    ],
    { cwd: project, env: story.env },
  )
  expect(said.stdout).toMatch(/^[1-9]\d*\n0\n$/)
  expect((await current('pwd -P')).trim()).toBe(serves)
  await expect.poll(() => node('ls -A /web/plain/releases | grep "^[.]" || :'), { timeout: 20_000 }).toBe('')
  await rm(join(project, 'data/large.bin'))
  await rm(join(project, 'events'), { force: true })
  expect((await deploy()).sent.one?.files).toBe(0)
})

chapter('a revision is deployed as it was, and the release knows from where it is', async () => {
  await git('init -q')
  await git('add -A')
  await git('commit -qm one')
  await git('tag v1.0')
  const tagged = await git('rev-parse HEAD')
  await answer('third')
  await git('commit -qam two')
  await answer('not committed')
  const now = await deploy()
  expect([now.dirty, now.commit]).toEqual([true, await git('rev-parse HEAD')])
  const status = await git('status --porcelain')
  const then = await deploy('--rev', 'v1.0')
  expect([then.dirty, then.commit, then.revision]).toEqual([false, tagged, 'v1.0'])
  expect(await git('status --porcelain')).toBe(status)
  expect(await current('cat plain/wsgi.py')).toContain("b'second'")
  expect(JSON.parse(await current('cat .kraft/release.json'))).toMatchObject({
    release: then.release,
    commit: tagged,
    revision: 'v1.0',
    dirty: false,
    by: expect.stringMatching(/^\w+@/),
    at: expect.stringMatching(/^\d{4}-/),
  })
  const { code, stderr } = await story.kraft(['deploy:stage', '--rev', 'v9'], { cwd: project })
  expect(code).toBe(2)
  expect(stderr).toContain('There is no revision v9')
  expect(await node('ls /tmp')).not.toContain('kraft-revision')
})

chapter('10,000 files, one of them renamed and one changed, cost a few hundred bytes', async () => {
  await rm(join(project, '.git'), { recursive: true })
  for (let index = 0; index < 10_000; index++) await put(`many/${index % 100}/${index}.txt`, `${index}\n`.repeat(100))
  expect((await deploy()).sent.one?.files).toBeGreaterThanOrEqual(10_000)
  await appendFile(join(project, 'many/7/7.txt'), 'changed\n')
  await rename(join(project, 'many/8/8.txt'), join(project, 'many/8/renamed.txt'))
  const { sent, stderr, release } = await deploy()
  expect(sent).toEqual({ one: { files: 1, bytes: 208 } })
  expect(Number(/\((\d+) B sent\)/.exec(stderr)?.[1])).toBeLessThan(1000)
  expect((await node(`find /web/plain/releases/${release}/many -type f | wc -l`)).trim()).toBe('10000')
  expect(await readFile(join(project, 'many/8/renamed.txt'), 'utf8')).toBe(
    await node(`cat /web/plain/releases/${release}/many/8/renamed.txt`),
  )
})
