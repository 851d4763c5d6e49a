import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { extract, pack } from 'tar-stream'
import type { Manifest } from '../../project/manifest.js'

/** Writes a copy of a bundle whose manifest was changed, or some of its members; every checksum still holds. */
export async function forgeBundle(
  from: string,
  to: string,
  change: (manifest: Manifest) => void,
  contents: Readonly<Record<string, Buffer>> = {},
): Promise<void> {
  const forged = pack()
  const written = buffer(forged)
  let seal = ''
  for await (const entry of createReadStream(from).pipe(extract())) {
    let content: Buffer = await buffer(entry)
    if (entry.header.name === 'manifest.json') {
      const manifest: Manifest = JSON.parse(content.toString())
      for (const member of manifest.members) {
        const given = contents[member.file]
        if (given !== undefined) Object.assign(member, { size: given.length, sha256: sha256(given) })
      }
      change(manifest)
      content = Buffer.from(JSON.stringify(manifest))
      seal = `${sha256(content)}  manifest.json\n`
    }
    if (entry.header.name === 'manifest.sha256') content = Buffer.from(seal)
    content = contents[entry.header.name] ?? content
    forged.entry({ name: entry.header.name, mode: 0o600 }, content)
  }
  forged.finalize()
  await writeFile(to, await written)
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
