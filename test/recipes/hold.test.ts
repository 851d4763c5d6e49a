import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { render } from '../../engine/template/render.js'

// The program that holds requests on a node, with a socket in the place of the application's.
let folder: string
let application: Server
let holding: ChildProcess | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-hold-'))
  await writeFile(at('hold.py'), String(render('move/hold.py', {})))
  for (const name of ['undecided', 'hold', 'ran']) await writeFile(at(name), '')
  application = createServer((socket) => socket.end()).listen(at('web.sock'))
})
afterEach(async () => {
  holding?.kill('SIGKILL')
  application.close()
  await rm(folder, { recursive: true, force: true })
})

const at = (name: string) => join(folder, name)
const until = async (holds: () => boolean) => {
  while (!holds()) await pause(10)
}

/** Starts it, and returns once it listens. */
async function hold(seconds: number): Promise<{ readonly ended: Promise<number | null> }> {
  const child = spawn('python3', ['-I', at('hold.py'), 'hold', folder, at('web.sock'), String(seconds)], { stdio: 'inherit' })
  holding = child
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await until(() => existsSync(at('hold.sock')))
  return { ended }
}

/** Asks as nginx does. */
const ask = () =>
  new Promise<number | undefined>((resolve, reject) => {
    request({ socketPath: at('hold.sock'), path: '/' }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end()
  })

test('who waits hears that it has moved, once the other node answers', async () => {
  const { ended } = await hold(60)
  const waiting = [ask(), ask()]
  await rename(at('undecided'), at('go'))
  await rm(at('hold'))
  expect(await Promise.all(waiting)).toEqual([403, 403])
  expect([await ended, existsSync(at('hold.sock'))]).toEqual([0, false])
})

test('who waits hears that it stays, once the application takes connections again', async () => {
  await hold(60)
  const waiting = ask()
  await rename(at('undecided'), at('back'))
  expect([await waiting, existsSync(at('hold'))]).toEqual([200, false])
})

test('it stays by itself when nobody decides in time', async () => {
  await hold(0.3)
  expect(await ask()).toBe(200)
  expect([existsSync(at('back')), existsSync(at('undecided'))]).toEqual([true, false])
})

test('it stays when the program is killed, and what was decided is not undone', async () => {
  const end = () =>
    new Promise((resolve) => spawn('python3', ['-I', at('hold.py'), 'end', folder, at('web.sock')]).on('close', resolve))
  await hold(60)
  holding?.kill('SIGKILL')
  expect(await end()).toBe(0)
  expect([existsSync(at('back')), existsSync(at('hold'))]).toEqual([true, false])

  await rename(at('back'), at('go'))
  await writeFile(at('hold'), '')
  expect(await end()).toBe(0)
  expect([existsSync(at('go')), existsSync(at('hold'))]).toEqual([true, true])
})
