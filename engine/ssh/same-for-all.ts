import { readdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { fitsWildcard } from '../config/wildcard.js'
import { isNodesInclude } from './include.js'

/**
 * The text of OpenSSH's configuration where it says the same for every host; undefined where it may not: a Host block that is not
 * for `*`, a Match, a name that is to be made canonical, a token such as %h, an Include that can't be followed here.
 *
 * @example await sameForAll() // 'SendEnv LANG LC_*\n…'
 */
export async function sameForAll(configFile?: string): Promise<string | undefined> {
  const files = configFile === undefined ? [join(userFolder(), 'config'), '/etc/ssh/ssh_config'] : [configFile]
  const texts = await Promise.all(files.map((file) => plain(file, 0)))
  return texts.every((text) => text !== undefined) ? texts.join('\n') : undefined
}

// OpenSSH takes the home from the password file.
function userFolder(): string {
  return join(userInfo().homedir, '.ssh')
}

async function plain(file: string, depth: number): Promise<string | undefined> {
  // ssh goes 16 deep; whoever goes further than this has reasons that are not looked into.
  if (depth > 4) return undefined
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? '' : undefined))
  if (text === undefined) return undefined
  const included: string[] = []
  for (const line of text.split('\n')) {
    const [, word = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? []
    const keyword = word.toLowerCase()
    // What kraft itself says there of its nodes it knows from nodes.yaml.
    if (keyword === 'include') included.push(...(isNodesInclude(value) ? [] : value.split(/\s+/)))
    else if (keyword === 'host' ? value !== '*' : /^(match|canonical)/.test(keyword) || value.includes('%')) return undefined
  }
  const home = file.startsWith('/etc/ssh/') ? '/etc/ssh' : userFolder()
  const found = await Promise.all(included.map((pattern) => filesOf(pattern, home)))
  if (found.some((files) => files === undefined)) return undefined
  const more = await Promise.all(found.flatMap((files) => files ?? []).map((each) => plain(each, depth + 1)))
  return more.every((each) => each !== undefined) ? [text, ...more].join('\n') : undefined
}

/** The files of an Include whose pattern is a path, or has stars in its last part alone. */
async function filesOf(pattern: string, home: string): Promise<readonly string[] | undefined> {
  const path = isAbsolute(pattern) ? pattern : join(home, pattern)
  if (/[~"'?[\]{}$%]/.test(pattern) || dirname(path).includes('*')) return undefined
  if (!path.includes('*')) return [path]
  const names = await readdir(dirname(path)).catch(() => [])
  return names.filter((name) => fitsWildcard(basename(path), name)).map((name) => join(dirname(path), name))
}
