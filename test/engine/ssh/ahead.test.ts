import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withAhead } from '../../../engine/ssh/ahead.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd(['MaxSessions 2'])
})
afterAll(() => sshd?.stop())

const waiting = 'read -r line || exit 0; echo "$$ $line"; cat'

/** A connection that is asked ahead, and how often a command was really started on it. */
function connected(): { connection: Connection; started: () => readonly string[] } {
  const inner = connect({ record: sshd.record, configFile: sshd.configFile })
  const started: string[] = []
  const exec = inner.exec.bind(inner)
  inner.exec = (command, options) => {
    started.push(command)
    return exec(command, options)
  }
  return { connection: withAhead(inner), started: () => started }
}

describe('a command that was started ahead', () => {
  it('gets its input later, once, and is not started again', async () => {
    const { connection, started } = connected()
    connection.ahead?.(waiting)
    expect((await connection.capture('true')).exit.code).toBe(0)
    expect((await connection.capture(waiting, 'first\nmore\n')).stdout).toMatch(/^\d+ first\nmore\n$/)
    expect(started()).toEqual([waiting, 'true'])
    expect((await connection.capture(waiting, 'second\n')).stdout).toMatch(/^\d+ second\n$/)
    expect(started()).toEqual([waiting, 'true', waiting])
    await connection.close()
  })

  it('gives its place up where the server allows too few', async () => {
    const { connection, started } = connected()
    connection.ahead?.(waiting)
    connection.ahead?.(waiting)
    expect((await connection.capture('echo done')).stdout).toBe('done\n')
    expect((await connection.capture(waiting, 'anew\n')).stdout).toMatch(/^\d+ anew\n$/)
    expect(started()).toEqual([waiting, waiting, 'echo done', waiting])
    await connection.close()
  })

  it('ends with the connection where nobody came for it', async () => {
    const { connection } = connected()
    connection.ahead?.(`echo $$ >${sshd.folder}/pid; ${waiting}; touch ${sshd.folder}/ran`)
    await connection.capture('sleep 0.2')
    await connection.close()
    const after = connected().connection
    const gone = `for n in $(seq 100); do kill -0 $(cat ${sshd.folder}/pid) 2>/dev/null || exit 0; sleep 0.05; done; exit 1`
    expect((await after.capture(gone)).exit.code).toBe(0)
    expect((await after.capture(`test ! -e ${sshd.folder}/ran`)).exit.code).toBe(0)
    await after.close()
  })
})
