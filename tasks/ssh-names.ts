import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { NodeRecord } from '../engine/node/record.js'
import { noteAsked, wasAsked, writeSshNames } from '../engine/node/ssh-names.js'
import { include, isIncluded, nodesConfig, userConfig } from '../engine/ssh/include.js'
import { foundLoginKey } from '../engine/ssh/keys.js'
import type { Session } from '../engine/task/session.js'
import { loadKind } from '../recipes/kinds.js'

/** Writes the nodes that are remembered now where `ssh NAME` finds them once ~/.ssh/config includes it. */
export async function updateSshNames({ project, user, inventory }: Session): Promise<void> {
  const found = await foundLoginKey({ pubkey: user.pubkey }).catch(() => undefined)
  const key = found?.file.replace(/\.pub$/, '')
  // OpenSSH tries those of ~/.ssh by itself, and with an IdentityFile no others.
  const isUsual = key !== undefined && user.pubkey === undefined && dirname(key) === join(homedir(), '.ssh')
  const given = key === undefined || isUsual ? undefined : key
  const adopted = new Set<NodeRecord['name']>()
  for (const { name, provider } of (await inventory()).all()) {
    const keeps = await loadKind('providers', provider).then(
      (each) => each.keeps === true,
      () => true,
    )
    if (keeps) adopted.add(name)
  }
  // Whoever adopts a server may come with another key than the one for new nodes.
  const isOwn = user.pubkey === undefined
  await writeSshNames(project?.folder, ({ name }) => (isOwn || !adopted.has(name) ? given : undefined))
}

/** Offers the line in ~/.ssh/config, once, where somebody is there to answer. Returns what there is to say of it. */
export async function offerSshNames({ prompt }: Session, name: string): Promise<readonly string[]> {
  if (prompt === undefined || (await isIncluded()) || (await wasAsked())) return []
  const offer = `Include ${nodesConfig()} at the top of ${userConfig()}, so that ssh ${name} works?`
  const yes = await prompt.confirm(offer, `the node ${name} is there`)
  await noteAsked()
  if (!yes) return []
  await include()
  return [`ssh knows it as ${name}`]
}
