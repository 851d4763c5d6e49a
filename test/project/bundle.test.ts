import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { extract, type Header, pack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { isKraftError } from '../../engine/errors/failure.js'
import { passBundle, proveBundle } from '../../project/bundle.js'
import { decrypted, encrypted } from '../../project/encryption.js'
import { failureOf } from '../rig/failure.js'
import { mulberry32 } from '../rig/generate-recipe.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const data = { 'postgres.dump': Buffer.from('rows\n'.repeat(5000)), 'files.tar': Buffer.from('files') }
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')
const members = Object.entries(data).map(([file, content]) => ({
  file,
  service: file.split('.')[0] ?? '',
  size: content.length,
  sha256: sha256(content),
  counts: { rows: 5000 },
}))
const manifest = {
  format: 'kraftwerk bundle',
  version: 1,
  kraft: '0.1.0',
  project: 'shop',
  environment: null,
  instance: 'shop',
  release: '20261101T000000Z',
  time: '2026-11-01T00:00:00.000Z',
  members,
}

type Entry = readonly [header: Partial<Header> & { name: string }, content: Buffer | string]

function packed(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack()
  const whole = buffer(archive)
  for (const [header, content] of entries) archive.entry({ ...header }, header.type === undefined ? content : '')
  archive.finalize()
  return whole
}

async function bundle(entries: readonly Entry[]): Promise<string> {
  const file = join(home.home, 'a.bundle')
  await writeFile(file, await packed(entries))
  return file
}

const head = (change: Record<string, unknown> = {}): Entry => [
  { name: 'manifest.json' },
  JSON.stringify({ ...manifest, ...change }),
]
const sealOf = ([, json]: Entry): Entry => [{ name: 'manifest.sha256' }, `${sha256(Buffer.from(json))}  manifest.json\n`]
const sealed = ([first, ...others]: readonly Entry[]): readonly Entry[] =>
  first === undefined ? [] : [first, ...others, sealOf(first)]
const body = Object.entries(data).map(([name, content]): Entry => [{ name }, content])
const wrong = async (entries: readonly Entry[]) => failureOf(proveBundle(await bundle(sealed(entries))))

it('a whole bundle gives its manifest', async () => {
  expect(await proveBundle(await bundle(sealed([head(), ...body])))).toEqual(manifest)
  expect(await proveBundle(await bundle(sealed([head(), ...[...body].reverse()])))).toEqual(manifest)
})

it('one that keeps nothing is whole', async () => {
  expect((await proveBundle(await bundle(sealed([head({ members: [] })])))).members).toEqual([])
})

describe('a bundle', () => {
  it('that was cut off anywhere is refused', async () => {
    const file = await bundle(sealed([head(), ...body]))
    for (const size of [27_000, 26_000, 20_000, 3000, 1600, 700, 100, 1]) {
      await truncate(file, size)
      expect(await failureOf(proveBundle(file)), String(size)).toMatchObject({ kind: 'setting' })
    }
    await truncate(file, 0)
    expect((await failureOf(proveBundle(file))).said).toContain('it is empty')
  })

  it('with one flipped bit is refused', async () => {
    const flipped = Buffer.from(data['postgres.dump'])
    flipped[20_000] = (flipped[20_000] ?? 0) ^ 1
    expect(await wrong([head(), [{ name: 'postgres.dump' }, flipped], ...body.slice(1)])).toMatchObject({
      kind: 'setting',
      said: expect.stringContaining('postgres.dump is damaged'),
      next: expect.stringContaining('Nothing was changed'),
    })
  })

  it.each<[string, readonly Entry[], string]>([
    ['without a member', [head(), ...body.slice(1)], 'postgres.dump is missing in it'],
    [
      'with a member too many',
      [head(), ...body, [{ name: 'more.tar' }, 'x']],
      'it holds more.tar, which the manifest does not name',
    ],
    ['with a member twice', [head(), ...body, ...body.slice(1)], 'files.tar is in it twice'],
    [
      'with a longer member',
      [head(), [{ name: 'postgres.dump' }, 'x'], ...body.slice(1)],
      'has 1 bytes, and the manifest says 25000',
    ],
    ['that does not begin with its manifest', [...body, head()], 'it does not begin with a manifest'],
    ['with a path for a member', [head(), ...body, [{ name: '../../etc/cron.d/x' }, 'x']], 'which the manifest does not name'],
    [
      'with a link for a member',
      [head(), [{ name: 'postgres.dump', type: 'symlink', linkname: '/etc/shadow' }, ''], ...body.slice(1)],
      'postgres.dump in it is no file but a symlink',
    ],
    ['whose manifest is not JSON', [[{ name: 'manifest.json' }, '{'], ...body], 'its manifest is not JSON'],
    ['whose manifest is null', [[{ name: 'manifest.json' }, 'null'], ...body], 'its manifest is not that of a bundle'],
    ['of another format', [head({ format: 'other' })], 'its manifest is not that of a bundle'],
    ['without a list of members', [head({ members: 'all' })], 'its manifest is wrong at members'],
    [
      'that names a path',
      [head({ members: [{ ...members[0], file: '../../etc/passwd' }] })],
      'its manifest is wrong at members.0.file',
    ],
    [
      'that names a hidden file',
      [head({ members: [{ ...members[0], file: '.bashrc' }] })],
      'its manifest is wrong at members.0.file',
    ],
    [
      'with no proper checksum',
      [head({ members: [{ ...members[0], sha256: 'x' }] })],
      'its manifest is wrong at members.0.sha256',
    ],
    [
      'with counts that are no numbers',
      [head({ members: [{ ...members[0], counts: { rows: '1\n2' } }] })],
      'its manifest is wrong at members.0.counts.rows',
    ],
  ])('%s is refused', async (_name, entries, said) => {
    const told = await wrong(entries)
    expect(told.kind).toBe('setting')
    expect(told.said).toContain(said)
  })

  it('whose manifest is not the one that was sealed, or has no seal, is refused', async () => {
    const changed = head({ time: '2026-11-01T00:00:00.001Z' })
    expect((await failureOf(proveBundle(await bundle([changed, ...body, sealOf(head())])))).said).toContain(
      'its manifest is damaged',
    )
    expect((await failureOf(proveBundle(await bundle([head(), ...body])))).said).toContain('manifest.sha256 is missing in it')
    const more: Entry = [{ name: 'files.tar' }, 'files']
    const behind = await bundle([
      head({ members: members.slice(0, 1) }),
      ...body.slice(0, 1),
      sealOf(head({ members: members.slice(0, 1) })),
      more,
    ])
    expect((await failureOf(proveBundle(behind))).said).toContain('files.tar in it comes behind its end')
  })

  it('of a newer version asks for a newer kraft', async () => {
    expect(await wrong([head({ version: 2, members: { new: 'shape' } })])).toMatchObject({
      said: expect.stringContaining('This bundle has version 2, and this kraft knows version 1'),
      next: expect.stringContaining('Update kraft'),
    })
  })

  it('that is no archive, or not there, is told so', async () => {
    const file = await home.write('a.bundle', 'not an archive'.repeat(100))
    expect((await failureOf(proveBundle(file))).said).toContain('cut off or damaged')
    expect((await failureOf(proveBundle(join(home.home, 'none.bundle')))).said).toMatch(/there is no such file/i)
  })
})

describe('a bundle that is piped through', () => {
  const pass = async (bytes: Buffer) => {
    const { stream, manifest: announced, proven } = await passBundle(Readable.from([bytes]), 'stdin')
    const got = await buffer(stream).catch(() => undefined)
    return { got, announced: await announced.catch(() => undefined), proven: await proven.catch(() => undefined) }
  }

  it('comes out whole and says early what it is', async () => {
    const { got, announced, proven } = await pass(await packed(sealed([head(), ...body])))
    expect([announced, proven]).toEqual([manifest, manifest])
    const file = join(home.home, 'again.bundle')
    await writeFile(file, got ?? '')
    expect(await proveBundle(file)).toEqual(manifest)
  })

  it('of which one service is wanted hands on no other one, and proves all of it', async () => {
    const whole = await packed(sealed([head(), ...body]))
    const [wanted, other] = manifest.members
    const only = await passBundle(Readable.from([whole]), 'stdin', [wanted?.service ?? ''])
    const got = await buffer(only.stream)
    expect(await only.proven).toEqual(manifest)
    const names: string[] = []
    const archive = extract()
    archive.end(got)
    for await (const entry of archive) {
      names.push(entry.header.name)
      entry.resume()
    }
    expect(names).toEqual(['manifest.json', wanted?.file, 'manifest.sha256'])
    const damaged = await packed(sealed([head(), ...body.slice(0, 1), [{ name: other?.file ?? '' }, 'FILES']]))
    const bad = await passBundle(Readable.from([damaged]), 'stdin', [wanted?.service ?? ''])
    await expect(buffer(bad.stream)).rejects.toThrow(`${other?.file} is damaged`)
  })

  // Seeded: what fails once fails again.
  it('is refused with its reason in each of 200 ways to be damaged, and nothing that its manifest does not name comes out', async () => {
    const random = mulberry32(7)
    const any = (below: number) => Math.floor(random() * below)
    const whole = await packed(sealed([head(), ...body]))
    const content = sealed([head(), ...body])
    const key = await generateX25519Identity()
    const keys = await home.write('key.txt', `${key}\n`)
    const closed = await buffer(await encrypted(Readable.from([whole]), [await identityToRecipient(key)]))
    // Zeros that fill a member up to the next 512 bytes are no part of it.
    const counts = (at: number) => {
      let start = 0
      for (const [, text] of content) {
        const size = Buffer.byteLength(text)
        const end = start + 512 + size
        // The last two bytes of a header's checksum are its end mark, which nobody reads.
        if (at < end) return at >= start && (at < start + 154 || at >= start + 156)
        start += 512 + Math.ceil(size / 512) * 512
        if (at < start) return false
      }
      return false
    }
    const flip = (of: Buffer, at: number) => {
      const bytes = Buffer.from(of)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << any(8))
      return bytes
    }
    const flipped = () => {
      let at = any(whole.length)
      while (!counts(at)) at = any(whole.length)
      return flip(whole, at)
    }
    const opened = async (bytes: Buffer) => decrypted(Readable.from([bytes]), keys, 'stdin')
    const kinds: readonly (readonly [why: RegExp, make: () => Buffer | Promise<Buffer | Readable>])[] = [
      [/This is no whole bundle: |This bundle has version/, flipped],
      [/it is cut off|it is empty|is missing in it/, () => whole.subarray(0, any(whole.length - 1024 - 512))],
      [
        / is missing in it/,
        () => {
          const left = 1 + any(content.length - 1)
          return packed(content.filter((_, index) => index !== left))
        },
      ],
      [/ is in it twice/, () => packed([...content.slice(0, 2), content[1] ?? head(), ...content.slice(2)])],
      [
        /it holds (\.\.\/)+etc\/cron\.d\/x, which the manifest does not name/,
        () => packed(sealed([head(), [{ name: `${'../'.repeat(1 + any(5))}etc/cron.d/x` }, 'x'], ...body])),
      ],
      [
        /its manifest is wrong at members\.0\.file/,
        () => packed(sealed([head({ members: [{ ...members[0], file: `${'../'.repeat(any(5))}/etc/x` }] }), ...body])),
      ],
      [
        /postgres\.dump in it is no file but a (sym)?link/,
        () =>
          packed(
            sealed([
              head(),
              [{ name: 'postgres.dump', type: any(2) === 0 ? 'symlink' : 'link', linkname: '/etc/shadow' }, ''],
              ...body.slice(1),
            ]),
          ),
      ],
      // A bomb: larger than it said.
      [
        /postgres\.dump has \d+ bytes, and the manifest says 25000/,
        () => packed(sealed([head(), [{ name: 'postgres.dump' }, Buffer.alloc(25_001 + any(100_000))], ...body.slice(1)])),
      ],
      [
        /it holds postgres\.dump, which the manifest does not name/,
        () => packed(sealed([head({ members: [{ ...members[0], file: `files${any(9)}.tar` }, members[1]] }), ...body])),
      ],
      [/it is cut off or damaged|None of the keys/, () => opened(flip(closed, any(closed.length)))],
      [/it is cut off or damaged|None of the keys/, () => opened(closed.subarray(0, any(closed.length)))],
    ]
    const names = ['manifest.json', 'manifest.sha256', ...Object.keys(data)]
    for (let n = 0; n < 200; n++) {
      const [why, make] = kinds[n % kinds.length] ?? [/never/, () => whole]
      const bytes = await Promise.resolve(make()).catch((error: unknown) => error)
      // No key opens it.
      if (isKraftError(bytes)) {
        expect(`${bytes.message} ${JSON.stringify(bytes.failure)}`, `${n}`).toMatch(why)
        continue
      }
      const { stream, proven } = await passBundle(bytes instanceof Readable ? bytes : Readable.from([bytes]), 'stdin')
      const out: string[] = []
      const reader = extract()
      reader.on('entry', (header, entry, next) => {
        out.push(header.name)
        entry.resume()
        entry.on('end', next)
      })
      reader.on('error', () => undefined)
      const ended = once(stream, 'error').then(([error]: unknown[]) => error)
      stream.on('error', () => reader.destroy())
      stream.pipe(reader)
      expect(await failureOf(proven), `${n}`).toMatchObject({
        kind: 'setting',
        said: expect.stringMatching(why),
        next: expect.stringMatching(/Nothing was changed/),
      })
      expect(isKraftError(await ended)).toBe(true)
      expect(out.filter((name) => !names.includes(name))).toEqual([])
    }
  })
})
