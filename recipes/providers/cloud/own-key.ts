import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import type { CreateRequest, FirstLogin } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { awaitHostKey } from './host-key.js'
import { makeOwnKey, ownKeyIn, removeGivenKey, takeBackGivenKey, takeOwnKey } from './own-key-steps.js'
import { poll } from './poll.js'

/** A node that answers, or will, and what its provider knows of its host keys. */
export interface Arrival {
  /** All but its host keys. */
  readonly record: Omit<NodeRecord, 'host_keys'>
  /** The key that it was given at its first boot. */
  readonly given: string
  /** Its own, where an earlier run has marked that. */
  readonly own: string | undefined
  /** It was handed over before. */
  readonly ready: boolean
  readonly request: CreateRequest
  /** Milliseconds that sshd may take to show the own key; half a minute if left out. */
  readonly within?: number
  /** Writes the node's own key to the provider, where the next run finds it. */
  mark(own: string): Promise<void>
}

/**
 * Waits for a node, lets it make a host key of its own, and gives the record with that key. The key that kraft generated has been in
 * user data, where others may read it: it vouches for the first connection and for nothing after that.
 *
 * The order is such that kraft may be killed anywhere, and the next run goes on:
 * 1. A login that the given key proves. The node makes its own key, which sshd does not show yet.
 * 2. The own key, which came over that login, is marked at the provider. From now on either key proves the node: it shows one of them.
 * 3. sshd shows the own key. If it does not within half a minute, it gets the given one back, over the login that is still open.
 * 4. A new login that the own key alone proves removes the given one.
 * 5. The caller marks the node as ready. From now on the own key alone proves it.
 * 6. kraft remembers it in nodes.yaml.
 *
 * @throws KraftError `host-key` where another key answers, `unreachable` where none does.
 */
export async function arriveWithOwnKey(arrival: Arrival): Promise<NodeRecord> {
  const { record, given, own, ready, request, within = 30_000 } = arrival
  const { name: node, address, port = 22 } = record
  const sshd = { node, address, port, signal: request.signal }
  if (ready) {
    // One of an earlier version of kraft has no key of its own.
    const known = own ?? given
    await awaitHostKey({ ...sshd, keys: [known] })
    return { ...record, host_keys: [known] }
  }
  await awaitHostKey({ ...sshd, keys: own === undefined ? [given] : [given, own] })
  request.progress('Giving it a host key of its own')
  const taken = await firstLogin(arrival, async (login) => {
    const made = ownKeyIn(await login.apply('Host key', makeOwnKey(given)))
    if (made === undefined)
      throw new KraftError({
        kind: 'task',
        node,
        message: 'It made a host key of its own and did not say which',
        next: `Try again: kraft provision ${node}`,
      })
    if (made !== own) await arrival.mark(made)
    await login.apply('Host key', takeOwnKey())
    await awaitHostKey({ ...sshd, keys: [made], before: given, within }).catch(async (error: unknown) => {
      await login.apply('Host key', takeBackGivenKey()).catch(() => undefined)
      throw error
    })
    return made
  })
  const known = { ...record, host_keys: [taken] }
  await loginTo(arrival, known, (login) => login.apply('Host key', removeGivenKey()))
  return known
}

// sshd may answer a moment before cloud-init has let the user in.
async function firstLogin<Result>(arrival: Arrival, work: (node: FirstLogin) => Promise<Result>): Promise<Result> {
  const { record, given, own, request } = arrival
  const first = { ...record, host_keys: own === undefined ? [given] : [given, own] }
  let refused: unknown
  const done = await poll(
    async () => {
      try {
        return { value: await loginTo(arrival, first, work) }
      } catch (error) {
        if (!isKraftError(error) || error.failure.kind !== 'unreachable') throw error
        refused = error
        return undefined
      }
    },
    { within: 30_000, signal: request.signal },
  )
  if (done === undefined) throw refused
  return done.value
}

function loginTo<Result>({ request }: Arrival, record: NodeRecord, work: (node: FirstLogin) => Promise<Result>): Promise<Result> {
  if (request.login === undefined) throw new TypeError(`Nobody can log in to ${record.name}: create() was called without login`)
  return request.login(record, work)
}
