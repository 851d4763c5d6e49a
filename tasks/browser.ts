import { spawn } from 'node:child_process'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What could open a page here, the best first: `BROWSER` (several with colons between them, `%s` for the page), then what the system
 * has. Without a screen only BROWSER counts: anything else would take the terminal.
 *
 * @example browserCommands('http://shop/', 'linux', { DISPLAY: ':0' }) // [['xdg-open', 'http://shop/']]
 */
export function browserCommands(
  url: string,
  platform: NodeJS.Platform,
  environment: Environment,
): readonly (readonly string[])[] {
  const named = (environment.BROWSER ?? '').split(':').flatMap((entry) => {
    const words = entry.split(/\s+/).filter((word) => word !== '')
    if (words.length === 0) return []
    return [entry.includes('%s') ? words.map((word) => word.replace('%s', url)) : [...words, url]]
  })
  if (named.length > 0) return named
  if (platform === 'darwin') return [['open', url]]
  const screen = environment.DISPLAY ?? environment.WAYLAND_DISPLAY ?? environment.WSL_DISTRO_NAME ?? ''
  return screen === '' ? [] : [['xdg-open', url]]
}

/** Opens a page in the browser and does not wait for it. Returns the program that does it, undefined where there is none. */
export async function openBrowser(url: string): Promise<string | undefined> {
  for (const [program = '', ...args] of browserCommands(url, process.platform, process.env)) {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    const started = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true))
      child.once('error', () => resolve(false))
    })
    if (!started) continue
    // It lives on when kraft ends.
    child.unref()
    return program
  }
  return undefined
}
