/** What kraft remembers of a node, in nodes.yaml. It holds no secret, so a team can commit it. */
export interface NodeRecord {
  /** What stands behind the colon. */
  readonly name: string
  /** Which provider made it: `local`, `ec2`, `static`… */
  readonly provider: string
  /** The provider's own name for it, e.g. an instance id. */
  readonly id?: string
  /** An IP address or a host name that this machine reaches. */
  readonly address: string
  /** The port of its sshd; 22 if left out. */
  readonly port?: number
  /** The login: root, or a user with sudo. */
  readonly user: string
  /** Public host keys as in known_hosts without the name: `ssh-ed25519 AAAA…`. */
  readonly host_keys: readonly string[]
  /**
   * What the provider must know to remove what it made (ids of addresses, groups…). `allow_ssh: mine` says that its firewall lets only
   * known addresses in.
   */
  readonly made?: Readonly<Record<string, string>>
}

/** Whether a provider's firewall keeps out whoever comes from another address than the last time. */
export function isFenced({ made }: Pick<NodeRecord, 'made'>): boolean {
  return made?.allow_ssh === 'mine'
}
