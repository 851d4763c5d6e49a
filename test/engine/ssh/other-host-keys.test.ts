import { expect, test } from 'vitest'
import { connect } from '../../../engine/ssh/connect.js'
import { startSshd } from '../../rig/sshd.js'

test('a server that tells its other host keys after the login is not asked to sign with each of them', async () => {
  const sshd = await startSshd(['LogLevel DEBUG3'])
  const connection = connect({ record: sshd.record, configFile: sshd.configFile })
  await connection.capture('true')
  // The answer to what is asked for after the login would be there with that of a second command.
  await connection.capture('true')
  await connection.close()
  const log = await sshd.log()
  await sshd.stop()
  expect(log).toMatch(/sent \d+ hostkeys/)
  expect(log).not.toContain('hostkeys-prove')
})
