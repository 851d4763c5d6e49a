import { spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A shell as a reader has it for a whole page: where one call ended the next begins, and exported variables stay. */
export interface PageShell {
  /** The folder that it is in. */
  folder(): Promise<string>
  /** Runs lines of bash, which end at the first that fails. With `until` they get Ctrl-C once that holds for what was printed. */
  run(text: string, until?: (output: string) => boolean): Promise<Ended>
  /** Ends whatever was left running. */
  close(): Promise<void>
}

export interface Ended {
  /** `late`: it did not end in time, and was killed. */
  readonly code: number | 'late'
  /** Both streams, as they came. */
  readonly output: string
  /** Which line bash gave up at, counted from 1. */
  readonly failed: number | undefined
}

/** Opens a shell without a terminal. One call may take so many seconds. */
export async function openShell(home: string, env: NodeJS.ProcessEnv, seconds: number): Promise<PageShell> {
  const own = await mkdtemp(join(tmpdir(), 'kraftwerk-page-'))
  const path = (name: string) => join(own, name)
  await writeFile(path('before'), before(own))
  await writeFile(path('pwd'), home)
  const left = new Set<number>()
  const folder = async () => (await readFile(path('pwd'), 'utf8')).trimEnd()
  const said = () => readFile(path('output'), 'utf8')

  async function run(text: string, until?: (output: string) => boolean): Promise<Ended> {
    await rm(path('failed'), { force: true })
    await writeFile(path('script'), text)
    // A file, because a pipe stays open for as long as anything in the background has it.
    const output = await open(path('output'), 'w')
    const child = spawn('bash', ['-e', path('script')], {
      cwd: await folder(),
      env: { ...env, HOME: home, BASH_ENV: path('before') },
      stdio: ['ignore', output.fd, output.fd],
      detached: true,
    })
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject).on('exit', (code) => resolve(code ?? 130))
    })
    const stop = new AbortController()
    const late = pause(seconds * 1000, 'late' as const, { signal: stop.signal }).catch(() => 'late' as const)
    const { pid } = child
    let over = false
    const watched = (async () => {
      while (until !== undefined && pid !== undefined && !over) {
        if (until(await said())) return void signal(pid, 'SIGINT')
        await pause(100)
      }
    })()
    const code = await Promise.race([ended, late])
    over = true
    stop.abort()
    await watched
    await output.close()
    if (pid !== undefined && code === 'late') signal(pid, 'SIGKILL')
    else if (pid !== undefined && signal(pid, 0)) left.add(pid)
    const failed = await readFile(path('failed'), 'utf8').then(Number, () => undefined)
    return { code, output: await said(), failed }
  }

  return {
    folder,
    run,
    async close() {
      for (const group of left) signal(group, 'SIGKILL')
      await rm(own, { recursive: true, force: true })
    },
  }
}

/** To a process with all that it has started; false where nothing is left of them. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

// Bash reads it before the lines; other bashes that these start have nothing of it.
const before = (own: string) => `
unset BASH_ENV
[ ! -e '${own}/exports' ] || . '${own}/exports'
trap 'pwd >"${own}/pwd"; export -p >"${own}/exports"' EXIT
trap 'echo "$LINENO" >"${own}/failed"' ERR
`
