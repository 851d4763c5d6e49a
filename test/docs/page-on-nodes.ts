import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quote } from '../../engine/shell/sh.js'
import { kraftProgram } from '../rig/kraft.js'
import { ensurePackages } from '../rig/packages.js'
import { prepareFiles } from '../rig/prepared-node.js'
import { type S3, startS3 } from '../rig/s3.js'
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
  let s3: S3 | undefined
  try {
    const bin = join(story.home, '.local/bin')
    await mkdir(bin, { recursive: true })
    const program = `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(kraftProgram)} "$@"\n`
    await writeFile(join(bin, 'kraft'), program, { mode: 0o755 })
    await writeFile(join(story.home, '.gitconfig'), '[user]\nname = Ada\nemail = ada@example.com\n[init]\ndefaultBranch = main\n')
    const nodes = nodesOf(page)
    await prepareFiles(story, nodes)
    if (commandsOf(page).includes('$S3_ENDPOINT')) {
      // The network of the nodes, which S3 listens on, comes with the first of them.
      await story.must(['provision', nodes[0] ?? 'one'], { cwd: story.home })
      s3 = await startS3(story.env)
    }
    const storage = s3 && {
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: s3.bucket,
      S3_ACCESS_KEY: s3.accessKey,
      S3_SECRET_KEY: s3.secretKey,
    }
    const env = { ...story.env, ...storage, PATH: `${bin}:${story.env.PATH}` }
    const here = `${story.env.KRAFT_LOCAL_SUBNET}.`
    await runPage(page, { home: story.home, env, subnet: { page: '10.77.0.', here } })
  } finally {
    await s3?.stop()
    await story.remove()
  }
}

const commandsOf = ({ blocks }: Page) => blocks.flatMap((block) => (block.kind === 'commands' ? block.text : [])).join('')

/** The plain Debian 12 nodes that a page makes: those of `kraft provision NAME`, and the one that `kraft up` makes. */
function nodesOf(page: Page): string[] {
  const commands = commandsOf(page)
  const names = [...commands.matchAll(/^kraft provision ([\w-]+) *(?:#.*)?$/gm)].map(([, name = '']) => name)
  return [...new Set([...(/^kraft up\b/m.test(commands) ? ['one'] : []), ...names])]
}
