import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import type { Ask } from '../../engine/ssh/question.js'
import { type Sshd, startSshd } from './sshd.js'

/** One sshd for all tests of a file, whose folder is the home, and logins there. */
export interface Logins {
  readonly sshd: Sshd
  /** Runs a command by a configuration for ssh with these lines, and what it printed is returned. */
  login(lines: readonly string[], ask?: Ask): ReturnType<Connection['capture']>
  /** The same by a configuration that is there, as it stands. */
  loginBy(configFile: string, ask?: Ask): ReturnType<Connection['capture']>
  /** Closes what was opened before the test has ended. */
  close(): Promise<void>
}

/** Starts it before the tests, closes what each has opened, and stops it behind them. */
export function logins(): Logins {
  let sshd: Sshd
  const opened: Connection[] = []
  beforeAll(async () => {
    sshd = await startSshd()
    process.env.HOME = sshd.folder
  })
  const close = async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()))
  }
  afterEach(close)
  afterAll(() => sshd.stop())
  const loginBy = (configFile: string, ask?: Ask) => {
    const connection = connect({ record: sshd.record, configFile, ...(ask && { ask }) })
    opened.push(connection)
    return connection.capture('echo in')
  }
  return {
    get sshd() {
      return sshd
    },
    loginBy,
    close,
    async login(lines, ask) {
      const configFile = `${sshd.folder}/config.${opened.length}.${Math.random()}`
      await writeFile(configFile, [...lines, 'Host *', 'IdentitiesOnly yes', 'UserKnownHostsFile /dev/null', ''].join('\n'))
      return loginBy(configFile, ask)
    },
  }
}
