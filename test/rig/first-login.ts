import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createNode } from '../../engine/node/node.js'
import type { CreateRequest } from '../../engine/node/provider.js'
import { quietReport } from '../../engine/report/quiet.js'
import { connect } from '../../engine/ssh/connect.js'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import type { Applied } from '../../engine/step/show.js'
import { makeOwnKey, takeOwnKey } from '../../recipes/providers/cloud/own-key-steps.js'
import type { BootedNode } from './ec2-node.js'

type Login = NonNullable<CreateRequest['login']>

/** Logs in to nodes that are being made as `kraft provision` does, with the key `id` of a folder. */
export async function firstLogin(folder: string): Promise<Login> {
  const configFile = join(folder, 'ssh_config')
  const words = ['UserKnownHostsFile /dev/null', 'GlobalKnownHostsFile /dev/null', 'IdentitiesOnly yes', 'IdentityAgent none']
  await writeFile(configFile, [...words, `IdentityFile ${join(folder, 'id')}`, ''].join('\n'))
  return async (record, work) => {
    const connection = connect({ record, configFile })
    const node = createNode(record, 'every', connection, 'apply', () => undefined)
    try {
      return await work({
        async apply(title, steps) {
          const report = quietReport()
          const applied: Awaited<ReturnType<typeof node.apply>>[] = []
          await report.list([{ title, run: async (line) => void applied.push(await node.apply(title, steps, line)) }])
          const [last] = applied
          if (last === undefined) throw new Error(`${title} was not run`)
          return last
        },
      })
    } finally {
      await connection.close()
    }
  }
}

/**
 * Does to the booted node what the steps of own-key-steps.ts do, without a login, which takes ten times as long. For tests of what is
 * around it: test/recipes/providers/cloud/own-key.test.ts and test/nodes/providers/ec2.test.ts run the steps.
 */
export function loginAtOnce(node: () => BootedNode | undefined): Login {
  const [making, taking] = [makeOwnKey(''), takeOwnKey()].map(([step]) => step?.title)
  let made = generateHostKey()
  return async (_, work) =>
    work({
      async apply(_title, [step]) {
        const key = `${node()?.ssh}/ssh_host_ed25519_key`
        if (step?.title === making) made = generateHostKey()
        if (step?.title === taking) {
          await rm(`${key}.pub`, { force: true })
          await writeFile(key, made.privateKey)
        }
        return step?.title === making ? printed(`own ${made.publicKey.split(' ', 2).join(' ')}`) : printed()
      },
    })
}

function printed(...rows: readonly string[]): Applied {
  return { counts: { ok: 0, changed: 1, failed: 0, skipped: 0, changes: 0, maybe: 0 }, output: [rows], seconds: 0 }
}
