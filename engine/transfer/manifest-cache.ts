import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { writeAtomic } from '../files/atomic.js'
import { Manifest } from './manifest.js'

/** More than the releases that anyone goes back and forth between. */
const most = 40

/** The digests of the manifests in a folder of the cache: a node need only name one of these. */
export async function knownManifests(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name))
}

/** The manifest with a digest, where it is known and whole. */
export async function recallManifest(folder: string, digest: string): Promise<Manifest | undefined> {
  try {
    return Manifest.read(gunzipSync(await readFile(join(folder, digest))).toString())
  } catch {
    return undefined
  }
}

/** Keeps a manifest that a node has from now on, and lets go of the oldest. */
export async function rememberManifest(folder: string, { digest, text }: Manifest): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeAtomic(join(folder, digest), gzipSync(text), { mode: 0o600 })
    const known = await knownManifests(folder)
    const aged = await Promise.all(known.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })))
    aged.sort((a, b) => b.at - a.at)
    for (const { name } of aged.slice(most)) await rm(join(folder, name), { force: true })
  } catch {
    // Without it the node tells its own the next time.
  }
}
