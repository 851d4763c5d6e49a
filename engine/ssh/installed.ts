import { existsSync, type Stats, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'

/** Which program a name means now, and what would tell that it was replaced. */
export function programOf(name: string): readonly unknown[] | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name)
    const found = statOf(file)
    if (found?.isFile() === true) return [file, found.size, found.mtimeMs, found.ino]
  }
  return undefined
}

// A folder that cannot be entered, as one of root's after `su`, is passed over as any shell does.
function statOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

/**
 * What there is to say where somebody wrote a configuration for OpenSSH, which is not installed: kraft lets `ssh -G` read it.
 *
 * @example unreadConfiguration() // undefined on most machines
 */
export function unreadConfiguration(home = userInfo().homedir): string | undefined {
  const file = join(home, '.ssh', 'config')
  if (programOf('ssh') !== undefined || !existsSync(file)) return undefined
  return `${file} does not count, because ssh is not installed here: install openssh-client`
}
