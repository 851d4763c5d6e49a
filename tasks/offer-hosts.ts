import { isIP } from 'node:net'
import { hostsFile, writeHostsLine } from '../engine/node/hosts.js'
import type { Session } from '../engine/task/session.js'

/** Offers a line of /etc/hosts for a node, and returns what there is to say of it. A node that has a name in the DNS needs none. */
export async function offerHosts({ prompt, flags }: Session, name: string, address: string): Promise<readonly string[]> {
  if (isIP(address) === 0) return []
  const offer = `Add "${address} ${name}" to ${hostsFile()}, so that the name works in ssh and in the browser?`
  if (flags.yes || (await prompt?.confirm(offer, 'all that came before it is done')) === true) {
    await writeHostsLine(name, address)
    return [`${hostsFile()} knows it as ${name}`]
  }
  return prompt === undefined ? [`A line for ${hostsFile()}: ${address} ${name}`] : []
}
