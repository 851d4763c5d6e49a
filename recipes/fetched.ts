import { spawn } from 'node:child_process'
import { refuseForeign } from '../engine/config/trust.js'
import { formatPlace, KraftError, type Place } from '../engine/errors/failure.js'
import { type Secret, secret } from '../engine/shell/secret.js'
import { environOrigin } from '../project/environ-origin.js'
import type { Instance } from '../project/instance.js'
import type { Project } from '../project/settings.js'
import { valueProblem } from '../project/variable-name.js'
import type { Reference, Vault } from '../project/vault.js'
import { loadKind } from './kinds.js'

/** Variables whose values came from vaults; in a dry run words that say from which. */
export type Fetched = Readonly<Record<string, Secret | string>>

// One call of kraft runs a command once, however many targets, nodes and variables want what it prints.
const begun = new Map<string, Promise<Buffer>>()

const patience = 120

/**
 * Fetches what `environ:` says is in a vault, all side by side, on this machine. Values are written nowhere here.
 *
 * @throws KraftError `task` for the first that can't be had, with its variable, its place and what its command said last.
 */
export async function fetchValues(instance: Instance): Promise<Fetched> {
  const { project, environment, settings } = instance
  const wanted = Object.entries(settings.vaults).map(([name, reference]) => {
    const { place } = environOrigin(project, environment, name) ?? { place: { file: project.file } }
    return { name, place, reference }
  })
  const values = await fetchAll(project, wanted)
  return Object.fromEntries(wanted.map(({ name }, index) => [name, values[index] ?? '']))
}

/** A value that is to be fetched. */
export interface Wanted {
  /** What it is, for messages. */
  readonly name: string
  readonly place: Place
  readonly reference: Reference
}

/** Fetches values as {@link fetchValues} does; they come in the order of what was wanted. */
export async function fetchAll(project: Project, wanted: readonly Wanted[]): Promise<readonly Secret[]> {
  if (wanted.length === 0) return []
  await refuseForeign(project.file)
  const fetching = wanted.map(async ({ name, place, reference }) => {
    const vault = await loadKind('vaults', reference.vault)
    try {
      return await fetchOne(vault, reference, project.folder)
    } catch (error) {
      throw unfetched(`${formatPlace(place)}: ${name} can't be had from ${vault.name}`, vault, error)
    }
  })
  const all = await Promise.allSettled(fetching)
  return all.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
}

function once(command: readonly [string, ...string[]], folder: string): Promise<Buffer> {
  const key = [folder, ...command].join('\0')
  const [program, ...args] = command
  const found = begun.get(key) ?? run(program, args, folder)
  begun.set(key, found)
  return found
}

/** Why a value could not be had: in words, with what the command said last, and what to do where that is not to log in. */
class Unfetched extends Error {
  readonly said: string
  readonly next: string | undefined

  constructor(message: string, { said = '', next }: { readonly said?: string; readonly next?: string } = {}) {
    super(message)
    this.said = said
    this.next = next
  }
}

function unfetched(what: string, { login }: Vault, error: unknown): KraftError {
  if (!(error instanceof Unfetched)) throw error
  return new KraftError(
    {
      kind: 'task',
      message: `${what}: ${error.message}`,
      ...(error.said === '' ? {} : { output: error.said }),
      next: error.next ?? login,
    },
    error,
  )
}

async function fetchOne(vault: Vault, { reference }: Reference, folder: string): Promise<Secret> {
  const command = vault.command(reference)
  const [program] = command
  const printed = await once(command, folder)
  const value = read(vault, printed.toString(), reference)
  if (value === '') throw new Unfetched(`${program} printed nothing`, { next: `Put a value there: ${reference}` })
  const problem = valueProblem(Buffer.from(value))
  if (problem !== undefined) {
    const next = 'Have the application read it from a file, and keep the path of that here'
    throw new Unfetched(`what it printed ${problem}`, { next })
  }
  return secret(value, reference)
}

function read(vault: Vault, printed: string, reference: string): string {
  try {
    return vault.read?.(printed, reference) ?? printed.replace(/\r?\n$/, '')
  } catch (error) {
    const next = `Correct the reference ${reference}; one of ${vault.name} looks like ${vault.example}`
    // What a parser says would repeat what it was given.
    if (error instanceof SyntaxError || !(error instanceof Error)) {
      throw new Unfetched('what was printed is not understood', { next })
    }
    throw new Unfetched(error.message, { next })
  }
}

function run(program: string, args: readonly string[], cwd: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => {
      child.kill()
      // What it has started may hold on to its output, and is not waited for.
      child.stdout.destroy()
      child.stderr.destroy()
      const next = 'Run it by hand: does it wait for an answer?'
      reject(new Unfetched(`${program} did not answer within ${patience} seconds`, { said: lastLine(said), next }))
    }, patience * 1000)
    const printed: Buffer[] = []
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      const missing = 'code' in error && error.code === 'ENOENT'
      const next = 'Install it here, or keep the value on the nodes: kraft env:TARGET set NAME'
      reject(missing ? new Unfetched(`there is no program ${program} here`, { next }) : new Unfetched(error.message))
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(Buffer.concat(printed))
      else reject(new Unfetched(`${program} ended with ${code === null ? signal : `code ${code}`}`, { said: lastLine(said) }))
    })
  })
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}
