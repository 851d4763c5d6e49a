import { chmod } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { writeAtomic } from '../files/atomic.js'
import { locked } from '../files/lock.js'
import { parseYaml, readText } from './yaml.js'

/** Writes settings of one provider into ~/.kraftwerk.yaml, which nobody else can read then; comments stay. Returns the file. */
export async function keepSettings(provider: string, values: Readonly<Record<string, string>>): Promise<string> {
  const file = join(homedir(), '.kraftwerk.yaml')
  await locked(file, async (held) => {
    const text = await readText(file).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
      throw error
    })
    const { document } = await parseYaml(text.trim() === '' ? '{}' : text, file)
    // `{}` and `ec2:` alone hold nothing that could be added to.
    if (text.trim() === '') document.contents = document.createNode({})
    const below = document.get(provider)
    if (below === null || below === undefined) document.set(provider, document.createNode({}))
    for (const [key, value] of Object.entries(values)) document.setIn([provider, key], value)
    await writeAtomic(file, document.toString({ lineWidth: 0 }), { mode: 0o600, before: () => held.stillMine() })
    // Secrets may be in it now.
    await chmod(file, 0o600)
  })
  return file
}
