import { readdir, readFile } from 'node:fs/promises'

/** The pids of the processes that keep connections for a home. */
export async function holdersOf(home: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [environment, name] = await Promise.all(
        ['environ', 'comm'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      )
      return environment?.includes(`HOME=${home}\0`) === true && name?.startsWith('kraft: keeps') === true
    }),
  )
  return pids.filter((_, index) => found[index])
}
