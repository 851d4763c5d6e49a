import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A file of templates/providers/local with its values filled in. In it, `<%= %>` prints a value as it is: these are no web pages.
 *
 * @example await template('pip.conf', { gateway: '10.77.0.1', port: 3144 })
 */
export async function template(name: string, values: Readonly<Record<string, unknown>>): Promise<string> {
  const file = join(folder(), `${name}.ejs`)
  const { render } = await import('ejs')
  return render(await readFile(file, 'utf8'), values, { escape: String, filename: file, strict: true, localsName: 'at' })
}

// The templates are the same number of folders above the source and its compiled copy only by chance: so look upwards.
function folder(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const found = join(at, 'templates', 'providers', 'local')
    if (existsSync(found)) return found
    if (dirname(at) === at) throw new Error('This copy of kraftwerk has no templates/providers/local')
    at = dirname(at)
  }
}
