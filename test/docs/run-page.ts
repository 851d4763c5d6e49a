import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { quote } from '../../engine/shell/sh.js'
import { type Commands, type Page, type Printed, type WrittenFile, wrong } from './page.js'
import { openShell, type PageShell } from './page-shell.js'

/** Where a page is run. */
export interface Place {
  /** The folder to begin in, and HOME. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** How addresses of local nodes begin: on the page, where nobody has changed that, and here. */
  readonly subnet?: { readonly page: string; readonly here: string }
  /** Seconds that one block may take; 400 if left out. */
  readonly seconds?: number
}

/**
 * Runs a page from top to bottom. Throws an Error that names page, line and command, with all that was printed, for the first block
 * that does not do what the page says. What it left running is ended in each case.
 *
 * @example await runPage(parsePage('docs/start.md', text), { home, env })
 */
export async function runPage(page: Page, place: Place): Promise<void> {
  const shell = await openShell(place.home, place.env, place.seconds ?? 400)
  try {
    for (const block of page.blocks) {
      if (block.kind === 'commands') await runCommands(page, block, shell, place)
      else if (block.kind === 'file') await writeBlock(page, block, shell, place)
      else if (block.kind === 'patch') await applyPatch(page, block, shell, place)
      else if (block.language === 'sh') await knowTasks(page, block, shell)
    }
  } finally {
    await shell.close()
  }
}

async function runCommands(page: Page, block: Commands, shell: PageShell, place: Place): Promise<void> {
  const { prints, ends } = block
  const asWritten = (text: string) => (place.subnet === undefined ? text : text.replaceAll(place.subnet.here, place.subnet.page))
  const until = ends === 'interrupted' ? (output: string) => unsaid(prints, asWritten(output)) === undefined : undefined
  const ran = await shell.run(asHere(block.text, place), until)
  const output = asWritten(ran.output)
  const tell = (problem: string) => {
    const { line, command } = commandAt(block, ran.failed)
    return wrong(page.path, line, `${command}\n${problem}:\n${output.trimEnd() || '(nothing)'}`)
  }
  const missing = unsaid(prints, output)
  const lacks = missing === undefined ? '' : `did not print "${missing}" (below line ${prints?.line}), in that order`
  if (ran.code === 'late') throw tell(`did not end within ${place.seconds ?? 400} s${lacks && ` and ${lacks}`}. It printed`)
  if (ends === 'well' && ran.code !== 0) throw tell(`ended with code ${ran.code}. It printed`)
  if (ends === 'badly' && ran.code === 0) throw tell('should have failed, and ended with code 0. It printed')
  if (lacks !== '') throw tell(`${lacks}. It printed`)
}

/** The command that ends at a line of the block, or its first, and where on the page it begins. */
function commandAt({ text, first }: Commands, failed: number | undefined): { line: number; command: string } {
  const lines = text.split('\n')
  const end = failed === undefined ? lines.findIndex((line) => line.trim() !== '') : failed - 1
  let begin = end
  while (lines[begin - 1]?.endsWith('\\')) begin--
  const command = lines.slice(begin, end + 1).join('\n')
  return { line: first + begin, command: command.trim() }
}

/** The first line that the output lacks, or has too early. */
function unsaid(prints: Printed | undefined, output: string): string | undefined {
  const rows = output.split('\n')
  let next = 0
  for (const line of prints?.lines ?? []) {
    const pattern = new RegExp(line.trim().split('…').map(asPattern).join('.*'))
    const found = rows.findIndex((row, index) => index >= next && pattern.test(row))
    if (found === -1) return line.trim()
    next = found + 1
  }
  return undefined
}

// The id of a release and a number of seconds are others each time.
const asPattern = (text: string) =>
  text
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\b20\d{6}-\d{6}\b/g, '20\\d{6}-\\d{6}')
    .replace(/\b\d+(\\\.\d+)? s\b/g, '\\d+(\\.\\d+)? s')

const asHere = (text: string, { subnet }: Place) => (subnet === undefined ? text : text.replaceAll(subnet.page, subnet.here))

async function writeBlock(page: Page, block: WrittenFile, shell: PageShell, place: Place): Promise<void> {
  const path = block.path.startsWith('~/') ? join(place.home, block.path.slice(2)) : join(await shell.folder(), block.path)
  await mkdir(dirname(path), { recursive: true })
  await (block.append ? appendFile : writeFile)(path, asHere(block.text, place))
  if (block.language !== 'yaml') return
  const [error] = parseAllDocuments(await readFile(path, 'utf8')).flatMap(({ errors }) => errors)
  if (error !== undefined) throw wrong(page.path, block.line, `${block.path} is no YAML: ${error.message}`)
  await knowTasks(page, block, shell)
}

async function applyPatch(page: Page, block: { line: number; text: string }, shell: PageShell, place: Place): Promise<void> {
  const file = join(place.home, '.page.patch')
  await writeFile(file, asHere(block.text, place))
  const { code, output } = await shell.run(`patch -p1 --force --no-backup-if-mismatch <${quote(file)}`)
  if (code !== 0) throw wrong(page.path, block.line, `these changes do not fit:\n${output}`)
}

/** What a page has kraft do elsewhere must at least be a task. */
async function knowTasks(page: Page, block: { line: number; text: string }, shell: PageShell): Promise<void> {
  const calls = block.text.replace(/(^|\s)#.*$/gm, '').matchAll(/(?:^|run:|[;&|(]|npx)[ \t]*kraft ([a-z][a-z-]*)/gm)
  for (const name of new Set([...calls].map(([, name = '']) => name))) {
    const { code, output } = await shell.run(`kraft help ${name}`)
    if (code !== 0) throw wrong(page.path, block.line, `kraft ${name} is no task:\n${output}`)
  }
}
