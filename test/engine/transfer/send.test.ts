import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sh } from '../../../engine/shell/sh.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { drain } from '../../../engine/transfer/drain.js'
import { pack } from '../../../engine/transfer/pack.js'
import { sendStream } from '../../../engine/transfer/send.js'
import { failureOf } from '../../rig/failure.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
let connection: Connection
let folder: string

beforeAll(async () => {
  sshd = await startSshd()
  connection = connect({ record: sshd.record, configFile: sshd.configFile })
  folder = await mkdtemp(join(tmpdir(), 'kraft-send-'))
  await writeFile(join(folder, 'one.txt'), 'first')
  await writeFile(join(folder, "it's two.txt"), 'second')
})
afterAll(async () => {
  await connection?.close()
  await sshd?.stop()
  await rm(folder, { recursive: true, force: true })
})

const archive = (...paths: string[]) => pack(folder, paths)
const unpack = (to: string) => sh`mkdir -p ${to} && tar -x -C ${to} -f - && ${drain}`.text

describe('files that are sent to a node', () => {
  test('arrive whole, also where the node takes its time to open a channel', async () => {
    const slow: Connection = {
      ...connection,
      exec: async (...given) => {
        await pause(700)
        return connection.exec(...given)
      },
    }
    const to = join(folder, 'arrived')
    expect(await sendStream(slow, () => archive('one.txt', "it's two.txt").stream, unpack(to))).toBeGreaterThan(1024)
    expect(await readFile(join(to, "it's two.txt"), 'utf8')).toBe('second')
  })

  test('fail with what tar says where one can no longer be read', async () => {
    let done = Promise.resolve()
    const open = () => {
      const packed = archive('one.txt', 'gone.txt')
      done = packed.done
      return packed.stream
    }
    await sendStream(connection, open, unpack(join(folder, 'partly')))
    const failure = await failureOf(done)
    expect(failure).toMatchObject({ kind: 'task', said: expect.stringContaining('could not be packed') })
  })

  test('fail with what the node says where it does not take them', async () => {
    const failure = await failureOf(
      sendStream(connection, () => archive('one.txt').stream, 'cat >/dev/null; echo full >&2; exit 3'),
    )
    expect(failure).toMatchObject({ kind: 'command', said: expect.stringContaining('code 3') })
  })
})
