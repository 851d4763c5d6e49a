import type { Shell } from 'zx/core'
import { localShell } from '../../engine/shell/local.js'
import { remoteShell } from '../../engine/shell/remote.js'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { type Sshd, startSshd } from './sshd.js'

/** zx on a node and zx here. */
export interface Shells {
  readonly $: Shell
  readonly here: Shell
  readonly sshd: Sshd
  readonly connection: Connection
  stop(): Promise<void>
}

/** Starts a node on loopback for zx; `wrap` makes of bash's text what gets there. */
export async function startShells(wrap?: (command: string) => string): Promise<Shells> {
  const sshd = await startSshd()
  process.env.HOME = sshd.folder
  const connection = connect({ record: sshd.record, configFile: sshd.configFile })
  return {
    $: await remoteShell(connection, wrap),
    here: await localShell(),
    sshd,
    connection,
    async stop() {
      await connection.close()
      await sshd.stop()
    },
  }
}
