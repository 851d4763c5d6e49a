import { randomUUID } from 'node:crypto'
import { chmod, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces a file in one step: a reader, or a power cut, meets the old content or the new, never a part. A link stays a link.
 * The new file has the old one's owner and mode, but nobody else can ever write it; a new one gets `mode`.
 *
 * @example await writeAtomic('nodes.yaml', text, { mode: 0o644 })
 */
export async function writeAtomic(
  file: string,
  text: string | Uint8Array,
  options: { readonly mode: number; readonly before?: () => Promise<void> },
): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const folder = dirname(target)
  const old = await stat(target).catch(() => undefined)
  const mode = (old === undefined ? options.mode : old.mode & 0o777) & ~0o022
  const temporary = join(folder, `.${basename(target)}.${randomUUID()}`)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      // Under sudo the project's files stay their owner's.
      const { uid, gid } = old ?? (await stat(folder))
      if (process.getuid?.() === 0) await handle.chown(uid, gid)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(temporary, mode)
    await options.before?.()
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
