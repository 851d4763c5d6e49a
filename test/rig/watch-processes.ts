import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Looks at every process's command line, here and on the nodes, as often as can be while `work` lasts; returns those with a text. */
export async function watchProcesses<T>(text: string, work: () => Promise<T>): Promise<{ result: T; seen: string }> {
  let isDone = false
  const seen = new Set<string>()
  const look = async () => {
    while (!isDone) {
      // Nodes are containers of this machine: their processes are among these.
      const { stdout } = await run('ps', ['-eww', '-o', 'args'], { maxBuffer: 1 << 26 })
      for (const line of stdout.split('\n')) if (line.includes(text)) seen.add(line)
      await sleep(30)
    }
  }
  const looking = look()
  try {
    return { result: await work(), seen: [...seen].join('\n') }
  } finally {
    isDone = true
    await looking
  }
}
