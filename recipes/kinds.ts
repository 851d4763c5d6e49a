import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runningFile, runningRoot } from '../engine/config/own-copy.js'
import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import { type Provider, providerMark } from '../engine/node/provider.js'
import type { Framework } from '../project/framework.js'
import { type Service, serviceMark } from '../project/service.js'
import { type Vault, vaultMark } from '../project/vault.js'

/** What comes in kinds: the folder in recipes/, and what each of its files exports. */
interface Kinds {
  readonly services: Service
  readonly providers: Provider
  readonly frameworks: Framework
  readonly vaults: Vault
}

const exported = { services: 'service', providers: 'provider', frameworks: 'framework', vaults: 'vault' } as const

// Global because recipes are called as plain functions in kraftfiles: there is no context to hand them through.
const own = {
  services: new Map<string, Service>(),
  providers: new Map<string, Provider>(),
  frameworks: new Map<string, Framework>(),
  vaults: new Map<string, Vault>(),
}
const marks = { services: serviceMark, providers: providerMark, vaults: vaultMark }

/**
 * Makes known the services, providers and vaults among the exports of a kraftfile, which stand before built-in ones of the same name.
 *
 * @throws KraftError `setting` for two of one name.
 */
export function addKinds(exports: Readonly<Record<string, unknown>>, file: string): void {
  for (const [exported, value] of Object.entries(exports)) {
    if (isOf('services', value)) add('services', exported, value as Service, file)
    else if (isOf('providers', value)) add('providers', exported, value as Provider, file)
    else if (isOf('vaults', value)) add('vaults', exported, value as Vault, file)
  }
}

function isOf(kind: keyof typeof marks, value: unknown): boolean {
  return typeof value === 'object' && value !== null && marks[kind] in value
}

function add<K extends keyof typeof marks>(kind: K, name: string, value: Kinds[K], file: string): void {
  const known = own[kind] as Map<string, Kinds[K]>
  const other = known.get(value.name)
  if (other !== undefined && other !== value) {
    throw new KraftError({
      kind: 'setting',
      place: { file },
      message: `${name} is the second ${exported[kind]} with the name "${value.name}"`,
      next: 'Pass only one of them on, by its name: export { … } from …',
    })
  }
  known.set(value.name, value)
}

/** The names of all services, providers, frameworks or vaults: the files in their folder, and those of the kraftfile. */
export function kindNames(kind: keyof Kinds): readonly string[] {
  return [...new Set([...builtinNames(kind), ...own[kind].keys()])].sort()
}

function builtinNames(kind: keyof Kinds): readonly string[] {
  return readdirSync(join(runningRoot, 'recipes', kind), { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => entry.name.slice(0, -3))
}

/**
 * The service, provider, framework or vault of a name, imported when it is named.
 *
 * @throws KraftError `usage` for an unknown name, with the nearest one.
 * @example const postgres = await loadKind('services', 'postgres')
 */
export async function loadKind<K extends keyof Kinds>(kind: K, name: string): Promise<Kinds[K]> {
  const added = own[kind].get(name)
  if (added !== undefined) return added as Kinds[K]
  const names = kindNames(kind)
  if (!names.includes(name)) {
    throw new KraftError({
      kind: 'usage',
      message: `There is no ${exported[kind]} "${name}".${didYouMean(name, names)}`,
      next: `There are ${names.join(', ')}`,
    })
  }
  const module: Record<string, unknown> = await import(pathToFileURL(runningFile(`recipes/${kind}/${name}`)).href)
  return module[exported[kind]] as Kinds[K]
}

/** What kraftwerk.yaml may name, and how to learn what each of it can be set to. */
export function knownKinds() {
  return {
    services: kindNames('services'),
    vaults: kindNames('vaults'),
    section: async (name: string) => (await loadKind('services', name)).section,
    reference: async (name: string, reference: string) => (await loadKind('vaults', name)).problem?.(reference),
  }
}

/** All of a kind, imported. */
export async function loadKinds<K extends keyof Kinds>(kind: K): Promise<readonly Kinds[K][]> {
  const found: Kinds[K][] = []
  // One after the other: what several share is half loaded for the second one, where jiti loads the sources.
  for (const name of kindNames(kind)) found.push(await loadKind(kind, name))
  return found
}
