import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { sshOptions } from '../../engine/ssh/config.js'
import { programOf, unreadConfiguration } from '../../engine/ssh/installed.js'
import type { Check } from './check.js'
import { doubtful, type Finding, findingOf, wrong } from './finding.js'

const install = 'sudo apt-get install openssh-client'

/** The programs of OpenSSH that kraft calls, and whether OpenSSH can read its configuration. */
export const openSsh: Check = {
  name: 'openssh',
  title: 'OpenSSH',
  async look() {
    const configuration = await sshOptions({ name: 'any', address: '192.0.2.1', hostKeys: [] }).then(() => [], asFinding)
    const findings = [...missing(), ...configuration]
    return [{ about: 'OpenSSH', said: findings.length === 0 ? await version() : '', findings }]
  },
}

function missing(): readonly Finding[] {
  const unread = unreadConfiguration()
  if (unread !== undefined) return [wrong(unread, install)]
  return [
    ...(programOf('ssh') === undefined
      ? [doubtful('ssh is not installed here, so kraft goes by nodes.yaml and known_hosts alone', install)]
      : []),
    ...(programOf('ssh-keyscan') === undefined
      ? [doubtful('ssh-keyscan is not installed here: kraft adopt asks it for host keys', install)]
      : []),
  ]
}

function asFinding(error: unknown): readonly Finding[] {
  return [findingOf(error)]
}

// It says its version on stderr.
async function version(): Promise<string> {
  const { stderr } = await promisify(execFile)('ssh', ['-V'])
  return stderr.trim().split(',')[0] ?? ''
}
