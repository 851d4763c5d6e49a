import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quote } from '../../engine/shell/sh.js'
import { kraftProgram } from '../rig/kraft.js'
import { ensurePackages } from '../rig/packages.js'
import { prepareFiles } from '../rig/prepared-node.js'
import { beginStory } from '../rig/story-node.js'
import { type Page, parsePage } from './page.js'
import { runPage } from './run-page.js'

/** A page of this repository, by its path there. */
export async function readPage(path: string): Promise<Page> {
  return parsePage(path, await readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8'))
}

/**
 * Runs a page as its reader would: an empty home, `kraft` on PATH, local nodes of the page's own, which are gone afterwards. Its first
 * `kraft bootstrap` of each node finds all in place, so that a page takes seconds.
 */
export async function runOnNodes(path: string): Promise<void> {
  const page = await readPage(path)
  await ensurePackages(['git', 'patch', 'curl', 'python3-venv'])
  const story = await beginStory()
  try {
    const bin = join(story.home, '.local/bin')
    await mkdir(bin, { recursive: true })
    const program = `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(kraftProgram)} "$@"\n`
    await writeFile(join(bin, 'kraft'), program, { mode: 0o755 })
    await writeFile(join(story.home, '.gitconfig'), '[user]\nname = Ada\nemail = ada@example.com\n[init]\ndefaultBranch = main\n')
    await prepareFiles(story, nodesOf(page))
    const env = { ...story.env, PATH: `${bin}:${story.env.PATH}` }
    const here = `${story.env.KRAFT_LOCAL_SUBNET}.`
    await runPage(page, { home: story.home, env, subnet: { page: '10.77.0.', here } })
  } finally {
    await story.remove()
  }
}

/** The plain Debian 12 nodes that a page makes: those of `kraft provision NAME`, and the one that `kraft up` makes. */
function nodesOf({ blocks }: Page): string[] {
  const commands = blocks.flatMap((block) => (block.kind === 'commands' ? block.text : [])).join('')
  const names = [...commands.matchAll(/^kraft provision ([\w-]+) *(?:#.*)?$/gm)].map(([, name = '']) => name)
  return [...new Set([...(/^kraft up\b/m.test(commands) ? ['one'] : []), ...names])]
}
