import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import {
  type Address,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
  type KeyPairInfo,
  type SecurityGroup,
  type Volume,
} from '@aws-sdk/client-ec2'
import type { CreateRequest } from '../../engine/node/provider.js'
import { type BootedNode, bootNode, freePort, prepareNode } from './ec2-node.js'
import { type Ec2Proxy, startEc2Proxy } from './ec2-proxy.js'
import { loginAtOnce } from './first-login.js'
import { type MotoImage, startMoto } from './moto.js'
import { newKey } from './openssh-client.js'

/** Whose the images of Debian and Ubuntu are. */
export const owners = { debian: '136693071363', ubuntu: '099720109477' } as const

/** What an account has at EC2. */
export interface Holdings {
  readonly instances: readonly Instance[]
  readonly groups: readonly SecurityGroup[]
  readonly keys: readonly KeyPairInfo[]
  readonly addresses: readonly Address[]
  readonly volumes: readonly Volume[]
}

/** What {@link Holdings} are of an account that has nothing. */
export const nothing: Holdings = { instances: [], groups: [], keys: [], addresses: [], volumes: [] }

/** An account at a simulated EC2 whose instances answer on loopback. */
export interface Account {
  readonly proxy: Ec2Proxy
  readonly ec2: EC2Client
  /** Holds the keys `id` and `other`. */
  readonly folder: string
  /** Where the node's sshd listens. */
  readonly port: number
  /** A public key of somebody else. */
  readonly otherKey: string
  /** What happens as an instance starts; {@link reset} makes it boot a node again. */
  launched: (userData: string) => Promise<void>
  /** Boots the node in the place of one that runs. */
  boot(userData: string): Promise<void>
  settings(change?: Readonly<Record<string, unknown>>): Record<string, unknown>
  request(change?: Partial<CreateRequest>): CreateRequest
  holdings(): Promise<Holdings>
  /** Ends the node that runs. */
  halt(): Promise<void>
  /** Forgets all that was made, at EC2 and here. */
  reset(): Promise<void>
  stop(): Promise<void>
}

/** Starts an account. Call it before the first use of the SDK: it keeps the developer's own credentials out. */
export async function startAccount(images: readonly MotoImage[]): Promise<Account> {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  })
  await prepareNode()
  const moto = await startMoto(images)
  let node: BootedNode | undefined
  let port = await freePort()
  const halt = async () => {
    await node?.stop()
    node = undefined
  }
  const boot = async (userData: string) => {
    await halt()
    node = await bootNode(userData, port)
  }
  const proxy = await startEc2Proxy(moto.url, '127.0.0.1', ({ userData }) => account.launched(userData))
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const ec2 = new EC2Client({ region: 'eu-west-1', endpoint: moto.url, credentials })
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-ec2-account-'))
  const publicKey = await newKey(folder, 'id')
  const settings: Account['settings'] = (change = {}) => {
    const all = {
      user: 'AKIATEST',
      secret: 'secret',
      location_id: 'eu-west-1',
      login: userInfo().username,
      allow_ssh: '127.0.0.0/8',
      endpoint: proxy.url,
      port,
      ...change,
    }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  }
  const account: Account = {
    proxy,
    ec2,
    folder,
    get port() {
      return port
    },
    otherKey: await newKey(folder, 'other'),
    launched: boot,
    boot,
    settings,
    request: (change = {}) => ({
      name: 'one',
      publicKey,
      settings: settings(),
      progress: () => undefined,
      login: loginAtOnce(() => node),
      ...change,
    }),
    holdings: () => holdingsOf(ec2),
    halt,
    async reset() {
      await halt()
      await moto.reset()
      proxy.clear()
      port = await freePort()
      account.launched = boot
    },
    async stop() {
      await halt()
      ec2.destroy()
      await proxy.stop()
      await moto.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return account
}

/** What an account has. */
export async function holdingsOf(ec2: EC2Client): Promise<Holdings> {
  const [{ Reservations = [] }, { SecurityGroups = [] }, { KeyPairs = [] }, { Addresses = [] }, { Volumes = [] }] =
    await Promise.all([
      ec2.send(new DescribeInstancesCommand({})),
      ec2.send(new DescribeSecurityGroupsCommand({})),
      ec2.send(new DescribeKeyPairsCommand({})),
      ec2.send(new DescribeAddressesCommand({})),
      ec2.send(new DescribeVolumesCommand({})),
    ])
  const all = Reservations.flatMap(({ Instances = [] }) => Instances)
  return {
    instances: all.filter(({ State }) => State?.Name !== 'terminated'),
    groups: SecurityGroups.filter(({ GroupName }) => GroupName !== 'default'),
    keys: KeyPairs,
    addresses: Addresses,
    volumes: Volumes,
  }
}

/** An image of Debian's, or of somebody else's with such a name. */
export function image(id: string, name: string, owner: string = owners.debian, created = '2026-03-01'): MotoImage {
  return { id, name, owner, architecture: name.includes('arm64') ? 'arm64' : 'x86_64', created: `${created}T00:00:00.000Z` }
}
