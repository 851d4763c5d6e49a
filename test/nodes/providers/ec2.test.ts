import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EC2Client } from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { holdingsOf, image, nothing } from '../../rig/ec2-account.js'
import { type Ec2Proxy, startEc2Proxy } from '../../rig/ec2-proxy.js'
import { ask } from '../../rig/http.js'
import { kraftProgram } from '../../rig/kraft.js'
import { type Moto, startMoto } from '../../rig/moto.js'
import { provisionPrepared } from '../../rig/prepared-node.js'
import { beginStory, type Story } from '../../rig/story-node.js'

// Read while the SDK loads, which this file does at its top.
vi.hoisted(() => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
})

// One story from an order at EC2 to a page that is served. EC2 is moto, and the machine that it starts a local node, which does with
// its user data what Debian's own cloud-init does with it.
let story: Story
let moto: Moto
let proxy: Ec2Proxy
let address: string
let userData: string | undefined
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  story = await beginStory('guestbook')
  await provisionPrepared(story, ['machine'])
  await story.onNode('machine', 'apt-get -qq update; apt-get -qq install -y --no-install-recommends cloud-init >/dev/null')
  address = await story.address('machine')
  moto = await startMoto([image('ami-0deb12000000000a2', 'debian-12-amd64-20260301-1')])
  proxy = await startEc2Proxy(moto.url, address, async (launched) => {
    await story.onNode('machine', firstBoot(launched.userData))
    userData = launched.userData
  })
  env = {
    ...story.env,
    KRAFT_PROVIDER: 'ec2',
    KRAFT_EC2_ENDPOINT: proxy.url,
    KRAFT_EC2_USER: 'test',
    KRAFT_EC2_SECRET: 'secret',
    KRAFT_EC2_LOCATION_ID: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
})

afterAll(async () => {
  await proxy?.stop()
  await moto?.stop()
  await story?.remove()
})

/** What a cloud does before a machine starts, and its image: there are no keys yet, and cloud-init finds its user data. */
function firstBoot(text: string): string {
  return `
    seed=/var/lib/cloud/seed/nocloud
    mkdir -p $seed
    printf 'instance-id: i-1\\nlocal-hostname: machine\\n' >$seed/meta-data
    echo ${Buffer.from(text).toString('base64')} | base64 -d >$seed/user-data
    printf 'datasource_list: [NoCloud]\\nnetwork: {config: disabled}\\n' >/etc/cloud/cloud.cfg.d/90_seed.cfg
    systemctl stop ssh
    rm -f /etc/ssh/ssh_host_* /root/.ssh/authorized_keys
    systemctl --no-block reboot`
}

const known = async () => parse(await readFile(join(story.project, 'nodes.yaml'), 'utf8')).one
const shownKey = async () => (await story.onNode('machine', 'cat /etc/ssh/ssh_host_ed25519_key.pub')).split(' ', 2).join(' ')

/** How a connection to the metadata service ends for a user: EACCES where it may not be. */
async function metadataFor(user: string): Promise<string> {
  const script = `
import errno, socket
for family, address in ((socket.AF_INET, '169.254.169.254'), (socket.AF_INET6, 'fd00:ec2::254')):
    end = socket.socket(family)
    end.settimeout(1)
    try: end.connect((address, 80))
    except OSError as error: print(errno.errorcode.get(error.errno, 'timeout'))`
  return story.onNode('machine', `setpriv --reuid ${user} --clear-groups python3 -c "${script}"`)
}

async function keepsOthersFromMetadata(): Promise<void> {
  expect(await metadataFor('nobody')).toBe('EACCES\nEACCES\n')
  expect(await metadataFor('admin')).toBe('EACCES\nEACCES\n')
  expect(await metadataFor('root')).not.toContain('EACCES')
}

test('provision is killed while the machine starts, goes on, and ends with a host key that the machine made', async () => {
  const killed = await story.bash(
    `${process.execPath} ${kraftProgram} provision one --yes & pid=$!
    while kill -0 $pid && ! curl -s '${moto.url}/moto-api/data.json' | grep -q '"i-'; do sleep 0.1; done
    kill -KILL $pid; wait $pid; echo $?`,
    { env },
  )
  expect(killed.stdout).toBe('137\n')
  await expect.poll(() => userData, { timeout: 30_000 }).toBeDefined()
  const { stdout } = await story.must(['provision', 'one', '--yes'], { env })
  expect(stdout).toMatch(new RegExp(`^one is at ${address} \\(admin@, ec2\\)$`, 'm'))
  expect(proxy.calls.filter((action) => action === 'RunInstances')).toHaveLength(1)

  const { host_keys: keys } = await known()
  const given = parse(userData ?? '').ssh_keys.ed25519_public
  expect(keys).toEqual([await shownKey()])
  expect(keys).not.toContain(given)
  expect(await story.onNode('machine', `grep -rlF '${given.split(' ')[1]}' /etc/ssh || echo none`)).toBe('none\n')
  expect(await story.onNode('machine', 'ls /etc/ssh | grep -c kraft || :')).toBe('0\n')
  await keepsOthersFromMetadata()
})

test('bootstrap and deploy go over it, and the site answers', async () => {
  await story.must(['bootstrap:one'], { env })
  await story.must(['deploy:live'], { env })
  expect((await ask(address, { host: 'guestbook.example.com', path: '/' })).text).toContain('You are the first one here')
})

test('after a reboot the key is the same, and others are kept from the metadata service', async () => {
  const before = await story.onNode('machine', 'systemctl show -p UserspaceTimestampMonotonic --value')
  await story.onNode('machine', 'systemctl --no-block reboot')
  const again = () => story.onNode('machine', 'systemctl show -p UserspaceTimestampMonotonic --value').catch(() => before)
  await expect.poll(again, { timeout: 60_000 }).not.toBe(before)
  await keepsOthersFromMetadata()
  const whoami = async () => (await story.kraft(['run:live', '--', 'id', '-un'], { env })).stdout
  await expect.poll(whoami, { timeout: 60_000 }).toBe('guestbook\n')
  expect((await known()).host_keys).toEqual([await shownKey()])
})

test('terminate leaves nothing at EC2', async () => {
  await story.must(['terminate:one', '--yes'], { env })
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const ec2 = new EC2Client({ region: 'eu-west-1', endpoint: moto.url, credentials })
  expect(await holdingsOf(ec2)).toEqual(nothing)
  ec2.destroy()
})
