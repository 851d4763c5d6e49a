import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, connect as dial, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownFolder, ownSocket, prove, proven, warmFolder } from '../../../../engine/ssh/warm/folder.js'
import { Keeper } from '../../../../engine/ssh/warm/keeper.js'
import { type Message, Wire } from '../../../../engine/ssh/warm/wire.js'

let folder: string
let path: string
let server: Server
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-keeper-'))
  path = join(folder, 'one.sock')
  const keeper = new Keeper(
    path,
    () => undefined,
    () => undefined,
  )
  server = createServer((socket) => keeper.accept(socket)).listen(path)
  await once(server, 'listening')
})
afterEach(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

async function say(message: Message): Promise<Message[]> {
  const heard: Message[] = []
  const wire = new Wire(dial(path), (each) => {
    heard.push(each)
    wire.close()
  })
  wire.send(message)
  await wire.gone
  return heard
}

test('a holder speaks only to who can leave a file in its folder, once per file', async () => {
  const proof = await prove(folder)
  expect(await say({ type: 'who', proof } as Message)).toMatchObject([{ type: 'self' }])
  expect(await say({ type: 'who', proof } as Message)).toEqual([])
  expect(await say({ type: 'who', proof: '../../etc/passwd' } as Message)).toEqual([])
  expect(await say({ type: 'stop' })).toEqual([])
  expect(await say({ type: 'exec', id: 1, command: 'true' } as Message)).toEqual([])
})

test("somebody else's file, socket or folder is refused", async () => {
  const proof = await prove(folder)
  await chown(join(folder, proof), 65534, 65534)
  expect(await proven(folder, proof)).toBe(false)
  await chown(path, 65534, 65534)
  await expect(ownSocket(path)).rejects.toThrow('is not a socket of yours')
  await chown(folder, 65534, 65534)
  await expect(ownFolder(folder)).rejects.toThrow('belongs to somebody else')
})

test('the folder is made for its owner alone, and refused where others can enter', async () => {
  const made = join(folder, 'made')
  await ownFolder(made)
  expect((await stat(made)).mode & 0o777).toBe(0o700)
  await chmod(made, 0o710)
  await expect(ownFolder(made)).rejects.toThrow('is open to others (mode 710)')
  await mkdir(join(folder, 'other'))
  await expect(ownSocket(join(folder, 'other'))).rejects.toThrow('is not a socket of yours')
  expect(await ownSocket(join(folder, 'none'))).toBe(false)
})

test('a socket has a path that macOS takes as well, else none is made', () => {
  const name = `${'a'.repeat(24)}.sock`
  expect(warmFolder('/home/ann')).toBe('/home/ann/.kraftwerk/warm')
  const long = `/home/${'a'.repeat(60)}`
  const short = warmFolder(long, '/tmp') ?? ''
  expect(short).toMatch(/^\/tmp\/kraft-\d+$/)
  for (let length = 1; length < 120; length++) {
    const found = warmFolder(`/${'a'.repeat(length)}`, `/var/${'b'.repeat(60)}/T`)
    if (found !== undefined) expect(Buffer.byteLength(`${found}/${name}\0`)).toBeLessThanOrEqual(104)
  }
  expect(warmFolder(long, `/tmp/${'b'.repeat(90)}`)).toBeUndefined()
})
