import { isIP } from 'node:net'
import { KraftError } from '../engine/errors/failure.js'
import { refuseNodeName, remember } from '../engine/node/inventory.js'
import type { NodeRecord } from '../engine/node/record.js'
import type { PublicKey } from '../engine/ssh/public-key.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { offerHosts } from './offer-hosts.js'
import { offerSshNames, updateSshNames } from './ssh-names.js'

/** Remembers a server that was there before. */
export const adopt = task({
  on: 'once',
  connection: 'new',
  needs: 'nothing',
  group: 'Nodes',
  meantBy: ['add'],
  help: 'remember a server that answers ssh, wherever it came from',
  changes: 'nothing; nodes.yaml remembers it',
  examples: ['kraft adopt one root@203.0.113.7', 'kraft adopt one admin@one.example.com:2222 --host-key SHA256:…'],
  options: {
    name: option({ type: 'string', positional: true, required: true, help: 'what to call the node' }),
    login: option({
      type: 'string',
      positional: true,
      required: true,
      help: 'user@host or user@host:port: root, or a user with sudo',
    }),
    hostKey: option({ type: 'string', help: 'its host key or the fingerprint of it: then nothing is asked' }),
  },
  async run({ options, session, line }) {
    const { name, hostKey } = options
    refuseNodeName(name)
    const place = await placeBehind(placeOf(options.login))
    const known = (await session.inventory()).get(name)
    if (known !== undefined && (known.provider !== 'static' || known.address !== place.address)) {
      throw new KraftError({
        kind: 'usage',
        message: `There is a node ${name} already, at ${known.address} (${known.provider})`,
        next: `Take another name, or remove it first: kraft terminate:${name}`,
      })
    }
    if (session.flags.dryRun)
      return new Result(`Would remember ${name}: ${options.login}`, { name, provider: 'static', ...place })
    const keys = await provenKeys(session, name, place, hostKey)
    const record: NodeRecord = {
      name,
      provider: 'static',
      address: place.address,
      ...(place.port === 22 ? {} : { port: place.port }),
      user: place.user,
      host_keys: keys.map(({ type, blob }) => `${type} ${blob.toString('base64')}`),
    }
    line.output(`Logging in as ${place.user}`)
    await session.connect(record, 'every').read('true')
    await remember(record, session.project?.folder)
    await updateSshNames(session)
    const said = [...(await offerHosts(session, name, place.address)), ...(await offerSshNames(session, name))]
    return new Result(
      [`${name} is at ${place.address} (${place.user}@, static)`, ...said].join('\n'),
      record,
      `kraft bootstrap:${name}`,
    )
  },
})

interface Place {
  readonly user: string
  readonly address: string
  readonly port: number
}

/** The parts of `user@host:port`; an IPv6 address with a port stands in brackets. */
export function placeOf(login: string): Place {
  const [, user, bracketed, host, port = '22'] =
    /^([A-Za-z_][A-Za-z0-9._-]*)@(?:\[([0-9a-f:.%]+)\]|([A-Za-z0-9][A-Za-z0-9._-]*|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*))(?::(\d{1,5}))?$/i.exec(
      login,
    ) ?? []
  const address = bracketed ?? host
  if (user !== undefined && address !== undefined && Number(port) >= 1 && Number(port) <= 65_535) {
    return { user, address, port: Number(port) }
  }
  throw new KraftError({
    kind: 'usage',
    message: `"${login}" is not a login: it looks like user@host or user@host:port`,
    next: 'For example: kraft adopt one root@203.0.113.7',
  })
}

/** Where ssh goes for a host that ~/.ssh/config knows under a name of its own. */
async function placeBehind(place: Place): Promise<Place> {
  if (isIP(place.address) !== 0) return place
  const { sshOptions } = await import('../engine/ssh/config.js')
  const { hostName, port } = await sshOptions({ name: place.address, user: place.user, hostKeys: [] })
  if (hostName.toLowerCase() === place.address.toLowerCase()) return place
  return { ...place, address: hostName, port: place.port === 22 ? port : place.port }
}

/** The keys that the server shows, once it is known that they are its own: by what was given, or by a person who compared them. */
async function provenKeys(
  session: Session,
  name: string,
  { address, port }: Place,
  given: string | undefined,
): Promise<readonly PublicKey[]> {
  const [{ scanHostKeys }, { fingerprint, fromLine, typeName }] = await Promise.all([
    import('../engine/ssh/scan.js'),
    import('../engine/ssh/public-key.js'),
  ])
  const wanted = given === undefined ? undefined : fromLine(given)
  // The login proves it, also behind a jump host, where nothing can be asked before.
  if (wanted !== undefined) return [wanted]
  const shown = await scanHostKeys(address, port, ['ed25519', 'ecdsa', 'rsa'])
  const list = shown.map((key) => `${fingerprint(key)} (${typeName(key.type)})`)
  if (shown.length === 0) {
    throw new KraftError({
      kind: 'unreachable',
      node: name,
      message: `No sshd answers at ${address}${port === 22 ? '' : ` port ${port}`}`,
      next: `Check the address, the port, and the firewalls in between. Behind a jump host: ProxyJump for ${name} in ~/.ssh/config, and --host-key with its whole key.`,
    })
  }
  if (given !== undefined) {
    const right = shown.filter((key) => fingerprint(key) === given.trim())
    if (right.length > 0) return right
    throw new KraftError({
      kind: 'host-key',
      node: name,
      message: `it shows other host keys than the one that was given: ${list.join(', ')}`,
      next: 'Look at the server itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
    })
  }
  if (session.prompt === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `${name} is new, and nobody is here to compare its host key: ${list.join(', ')}`,
      next: `If one of them is its own: --host-key '${list[0]?.split(' ')[0]}'`,
    })
  }
  session.report.note(['It shows these host keys:', ...list.map((each) => `  ${each}`)].join('\n'))
  session.report.note(
    'On the server itself they are shown by: for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $key; done',
  )
  if (await session.prompt.compare(`Are these the host keys of ${address}?`)) return shown
  throw new KraftError({ kind: 'interrupted', message: 'Nothing was remembered' })
}
