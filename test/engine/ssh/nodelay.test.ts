import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { connect } from '../../../engine/ssh/connect.js'
import { startKept } from '../../rig/kept.js'
import { startSshd } from '../../rig/sshd.js'

const script = fileURLToPath(new URL('../../rig/nodelay.py', import.meta.url))

async function delays(pid: number, port: number): Promise<string> {
  return (await promisify(execFile)('python3', [script, String(pid), String(port)])).stdout
}

test('a connection waits with no packet for more to send', async () => {
  const sshd = await startSshd()
  const connection = connect({ record: sshd.record, configFile: sshd.configFile })
  await connection.capture('true')
  expect(await delays(process.pid, sshd.port)).toBe('1\n')
  await connection.close()
  await sshd.stop()
})

test('nor does one that is kept', async () => {
  const kept = await startKept()
  await kept.kraft(['run:one', '--', 'true'])
  const [holder] = await kept.holders()
  expect(await delays(Number(holder), kept.sshd.port)).toBe('1\n')
  await kept.stop()
})
