import { createHash } from 'node:crypto'
import { type SshOptions, sshOptions } from '../config.js'
import type { Destination } from '../destination.js'
import { jumpDestination } from '../jump.js'
import { protocol } from './messages.js'

/** What a connection is made by: the effective ssh options of the node and of the hosts before it. */
export interface Way {
  readonly options: SshOptions
  /** Names the way: any other node, host key, option, jump host or version of kraft gives another. */
  readonly key: string
  /** A ProxyCommand of the node or of a host before it is part of the way. */
  readonly hasProxy: boolean
}

/** Looks up the way to a destination. */
export async function wayTo(destination: Destination, configFile: string | undefined, version: string): Promise<Way> {
  const options = await sshOptions(destination, configFile)
  const hops = await hopsOf(options, configFile, 0)
  const all = JSON.stringify([protocol, version, process.execPath, destination, configFile, options, hops])
  const hasProxy = [options, ...hops].some(({ proxyCommand }) => proxyCommand !== undefined)
  return { options, hasProxy, key: createHash('sha256').update(all).digest('hex').slice(0, 24) }
}

async function hopsOf({ jumps }: SshOptions, configFile: string | undefined, depth: number): Promise<readonly SshOptions[]> {
  const last = jumps.at(-1)
  // Who connects refuses more than eight hops.
  if (last === undefined || depth > 8) return []
  const before = jumps.slice(0, -1)
  const options = await sshOptions(jumpDestination(last, before.length === 0 ? undefined : before), configFile)
  return [options, ...(await hopsOf(options, configFile, depth + 1))]
}
