import { stat } from 'node:fs/promises'
import { sshOptions } from '../../engine/ssh/config.js'
import { collectIdentities } from '../../engine/ssh/identities.js'
import { foundLoginKey, type LoginKey } from '../../engine/ssh/keys.js'
import { readIdentity } from '../../engine/ssh/private-key.js'
import { fromLine, same, typeName } from '../../engine/ssh/public-key.js'
import type { Check, Surroundings } from './check.js'
import { doubtful, type Finding, wrong } from './finding.js'

/** The key that lets you in on new nodes: its public half, and who holds the private one. */
export const keys: Check = {
  name: 'keys',
  title: 'SSH keys',
  async look({ session, remembered }) {
    const about = 'SSH key'
    const found = await foundLoginKey({ pubkey: pubkeyOf(session) })
    const findings = found === undefined ? [] : await findingsOf(found)
    if (found !== undefined) return [{ about, said: `${found.file}, and its private half is at hand`, findings }]
    const usable = await usableKeys()
    if (usable.length > 0) return [{ about, said: usable.map(({ label }) => label).join(', '), findings: [] }]
    const none = 'There is no key to log in with on the nodes that are remembered'
    const lost = remembered.length === 0 ? [] : [wrong(none, 'Name yours with IdentityFile in ~/.ssh/config, or start its agent')]
    return [{ about, said: 'none yet: kraft provision makes one', findings: lost }]
  },
}

// What is wrong with ~/.kraftwerk.yaml is told by its own check.
function pubkeyOf(session: Surroundings['session']): string | undefined {
  try {
    return session.user.pubkey
  } catch {
    return undefined
  }
}

async function findingsOf({ publicKey, file }: LoginKey): Promise<readonly Finding[]> {
  const privateFile = file.replace(/\.pub$/, '')
  const wanted = fromLine(publicKey)
  const usable = await usableKeys()
  const holder = usable.find((each) => wanted !== undefined && same(each.publicKey, wanted))
  const identity = await readIdentity(privateFile).catch(() => undefined)
  const open = await openToOthers(privateFile)
  const findings = open === undefined ? [] : [open]
  if (holder !== undefined) return findings
  // A private key beside its public half is tried only where it has a usual name, or is named with IdentityFile.
  if (identity?.encrypted === true && identity.text !== '') {
    const what = `${privateFile} has a passphrase and no agent holds it: without a terminal (cron, CI) kraft can't log in`
    return [...findings, doubtful(what, `ssh-add ${privateFile}`)]
  }
  if (identity !== undefined && !identity.isPublic) {
    const next = `Name it in ~/.ssh/config (IdentityFile ${privateFile}), or ssh-add ${privateFile}`
    return [...findings, wrong(`${privateFile} is not among the keys that are tried`, next)]
  }
  const type = wanted === undefined ? '' : ` (${typeName(wanted.type)})`
  const next = 'Start the agent that holds it, or set pubkey in ~/.kraftwerk.yaml to a key that you have'
  return [...findings, wrong(`Nobody here has the private half of ${file}${type}, which new nodes are given`, next)]
}

async function usableKeys() {
  const options = await sshOptions({ name: 'any', address: '192.0.2.1', hostKeys: [] })
  return (await collectIdentities(options, undefined)).usable
}

async function openToOthers(file: string): Promise<Finding | undefined> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined || !found.isFile() || (found.mode & 0o077) === 0) return undefined
  return wrong(`Others can read the private key ${file}, and ssh refuses it`, `chmod 600 ${file}`)
}
