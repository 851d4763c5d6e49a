import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import type { Provider } from '../engine/node/provider.js'
import type { Framework } from '../project/framework.js'
import type { Service } from '../project/service.js'

/** What comes in kinds: the folder in recipes/, and what each of its files exports. */
interface Kinds {
  readonly services: Service
  readonly providers: Provider
  readonly frameworks: Framework
}

const exported = { services: 'service', providers: 'provider', frameworks: 'framework' } as const

/** The names of all built-in services, providers or frameworks: the files in their folder. */
export function kindNames(kind: keyof Kinds): readonly string[] {
  return readdirSync(join(import.meta.dirname, kind), { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => entry.name.slice(0, -3))
    .sort()
}

/**
 * The service, provider or framework of a name, imported when it is named.
 *
 * @throws KraftError `usage` for an unknown name, with the nearest one.
 * @example const postgres = await loadKind('services', 'postgres')
 */
export async function loadKind<K extends keyof Kinds>(kind: K, name: string): Promise<Kinds[K]> {
  const names = kindNames(kind)
  if (!names.includes(name)) {
    throw new KraftError({
      kind: 'usage',
      message: `There is no ${exported[kind]} "${name}".${didYouMean(name, names)}`,
      next: `There are ${names.join(', ')}`,
    })
  }
  const extension = import.meta.url.slice(-3)
  const module: Record<string, unknown> = await import(pathToFileURL(join(import.meta.dirname, kind, `${name}${extension}`)).href)
  return module[exported[kind]] as Kinds[K]
}

/** All of a kind, imported. */
export async function loadKinds<K extends keyof Kinds>(kind: K): Promise<readonly Kinds[K][]> {
  return Promise.all(kindNames(kind).map((name) => loadKind(kind, name)))
}
