import type { SecurityGroup } from '@aws-sdk/client-ec2'
import { everywhere } from '../cloud/cidr.js'
import { mine, ownRange } from '../cloud/own-address.js'
import type { Cloud } from './cloud.js'
import { codeOf } from './failures.js'
import { rule, type SshFrom } from './group.js'
import type { Settings } from './settings.js'
import type { Identity } from './tags.js'

/** Where a new node's group opens ssh to, by the settings. Throws a KraftError where the own address is wanted and not known. */
export async function sshFrom({ node, owner }: Pick<Identity, 'node' | 'owner'>, settings: Settings): Promise<SshFrom> {
  const { allow_ssh: range = '0.0.0.0/0', address_service } = settings
  return range === mine ? { range: await ownRange(node, address_service), of: markOf(owner) } : { range }
}

/** A group that is there, and who wants to come in. */
export interface Door {
  readonly group: string
  readonly node: string
  /** Whose key it is ({@link Identity}). */
  readonly owner: string
  readonly settings: Settings
  progress(line: string): void
}

/**
 * Opens ssh in a node's group to the address that this person comes from now, and closes it to the one that they came from before;
 * addresses of others stay. Whoever says `mine` for a node that was open to everybody closes it. Says whether the group is one that lets
 * only known addresses in; one that is not, and was not asked to be, stays as it is.
 */
export async function letIn({ sdk, client }: Cloud, { group, node, owner, settings, progress }: Door): Promise<boolean> {
  const { port, allow_ssh: wanted, address_service } = settings
  const { SecurityGroups: [found] = [] } = await client.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [group] }))
  const rules = sshRules(found, port)
  if (wanted !== mine && !rules.some(({ of }) => isMark(of))) return false
  const given = wanted === undefined || wanted === mine || everywhere.includes(wanted) ? undefined : wanted
  const now: SshFrom = { range: given ?? (await ownRange(node, address_service)), of: markOf(owner) }
  // The new one first: whoever is cut off in between is let in from both.
  if (!rules.some(({ range }) => range === now.range)) {
    progress(`Letting ${now.range} in`)
    await client
      .send(new sdk.AuthorizeSecurityGroupIngressCommand({ GroupId: group, IpPermissions: [rule(port, [now])] }))
      .catch(fineIf('InvalidPermission.Duplicate'))
  }
  const former = rules.filter(({ range, of }) => range !== now.range && (of === now.of || everywhere.includes(range)))
  if (former.length > 0) {
    const who = new Set(former.map(({ range }) => (everywhere.includes(range) ? 'everybody' : range)))
    progress(`No longer letting ${[...who].join(' and ')} in`)
    await client
      .send(new sdk.RevokeSecurityGroupIngressCommand({ GroupId: group, IpPermissions: [rule(port, former)] }))
      .catch(fineIf('InvalidPermission.NotFound'))
  }
  return true
}

// A teammate behind the same address may have done it in between.
function fineIf(code: string): (error: unknown) => void {
  return (error) => {
    if (codeOf(error) !== code) throw error
  }
}

/** Stands with the address of a person, so that it is known whose it is when it changes. */
function markOf(owner: string): string {
  return `kraftwerk ${owner}`
}

function isMark(text: string | undefined): boolean {
  return text?.startsWith('kraftwerk ') === true
}

function sshRules(group: SecurityGroup | undefined, port: number): readonly SshFrom[] {
  return (group?.IpPermissions ?? [])
    .filter(({ FromPort, ToPort, IpProtocol }) => IpProtocol === 'tcp' && FromPort === port && ToPort === port)
    .flatMap(({ IpRanges = [], Ipv6Ranges = [] }) => [
      ...IpRanges.map(({ CidrIp: range = '', Description: of }) => ({ range, of })),
      ...Ipv6Ranges.map(({ CidrIpv6: range = '', Description: of }) => ({ range, of })),
    ])
}
