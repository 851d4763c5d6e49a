import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Section } from '../../engine/config/section.js'
import { KraftError } from '../../engine/errors/failure.js'
import { type CreateRequest, defineProvider, type NodeWork } from '../../engine/node/provider.js'
import type { NodeRecord } from '../../engine/node/record.js'
import { sh } from '../../engine/shell/sh.js'
import { render } from '../../engine/template/render.js'
import { listens } from './local/listens.js'
import { checkName } from './local/names.js'
import { folderOf, folders, parseSshConfig, stateOf, vagrant } from './vagrant/program.js'

const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const box = v.optional(
  v.pipe(v.string(), v.regex(/^[\w.-]+(\/[\w.-]+)?$/, 'the name of a box, like debian/bookworm64')),
  'debian/bookworm64',
)
const machine = v.optional(v.picklist(['virtualbox', 'libvirt', 'vmware_desktop']))
const memory = v.optional(v.pipe(count, v.minValue(512)), 2048)
const cpus = v.optional(count, 2)

const section = {
  box: { schema: box, doc: 'Box that the machine is made from', example: 'debian/trixie64' },
  machine: {
    schema: machine,
    doc: "What runs it; without it the first that Vagrant finds (Vagrant's own provider)",
    example: 'libvirt',
  },
  memory: { schema: memory, doc: 'Memory in MB', example: 4096 },
  cpus: { schema: cpus, doc: 'Processors', example: 4 },
} satisfies Section

const settingsSchema = v.object({ box, machine, memory, cpus })

/** Virtual machines on this machine, through Vagrant: VirtualBox, VMware or libvirt. */
export const provider = defineProvider({
  name: 'vagrant',
  doc: 'A virtual machine on this machine through Vagrant: VirtualBox, VMware or libvirt (not yet tried on the real thing)',
  section,
  onThisMachine: true,
  create,
  describe: ({ name }) => stateOf(name),
  start,
  destroy,

  async list() {
    const names = await folders()
    return Promise.all(names.map(async (name) => ({ name, id: folderOf(name), state: await stateOf(name) })))
  },
})

async function create({ name, publicKey, settings, progress, signal }: CreateRequest): Promise<NodeRecord> {
  checkName(name)
  const { machine: by, ...values } = v.parse(settingsSchema, {
    box: settings.box,
    machine: settings.machine,
    memory: settings.memory,
    cpus: settings.cpus,
  })
  const folder = folderOf(name)
  // A machine that an earlier run made goes on as it is: Vagrant keeps what it was made with.
  const fresh = !existsSync(join(folder, 'Vagrantfile'))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    if (fresh)
      await writeFile(join(folder, 'Vagrantfile'), String(render('providers/vagrant/Vagrantfile', { at: { name, ...values } })))
    await vagrant(name, ['up', ...(by === undefined ? [] : ['--provider', by])], { onLine: progress, signal })
    const reached = parseSshConfig(await vagrant(name, ['ssh-config'], { signal }), name)
    const hostKeys = await introduce(name, publicKey, signal)
    await answers(name, reached, signal)
    return { name, provider: 'vagrant', id: folder, ...reached, host_keys: hostKeys }
  } catch (error) {
    if (fresh) {
      progress(`Undoing the machine ${name}`)
      await remove(name).catch((reason) => progress(`${reason}; the next kraft provision ${name} goes on from here`))
    }
    throw error
  }
}

/** Lets the user's key in and asks for the host keys, both over Vagrant's own channel. */
async function introduce(name: string, publicKey: string, signal?: AbortSignal): Promise<string[]> {
  const key = publicKey.trim()
  const script = sh`install -d -m 700 ~/.ssh && { grep -qxF -e ${key} ~/.ssh/authorized_keys || echo ${key} >>~/.ssh/authorized_keys; } && cat /etc/ssh/ssh_host_*_key.pub`
  // Through a terminal, as Vagrant opens one.
  const said = (await vagrant(name, ['ssh', '-c', script.text], { signal })).split(/\r?\n/)
  const keys = said.filter((line) => /^(ssh|ecdsa)-/.test(line)).map((line) => line.split(' ').slice(0, 2).join(' '))
  if (keys.length > 0) return keys
  throw new KraftError({
    kind: 'task',
    node: name,
    message: 'vagrant ssh showed no host key of it',
    output: said.join('\n').trim(),
    next: `Has it an sshd with keys? cd ${folderOf(name)} && vagrant ssh -c 'ls /etc/ssh'`,
  })
}

async function answers(name: string, { address, port = 22 }: Pick<NodeRecord, 'address' | 'port'>, signal?: AbortSignal) {
  if (await listens(address, port, { timeout: 60_000, greeting: 'SSH-', signal })) return
  throw new KraftError({
    kind: 'task',
    node: name,
    message: `did not come up: no sshd answers on ${address}:${port}`,
    next: `Look at it: cd ${folderOf(name)} && vagrant status`,
  })
}

async function start(record: NodeRecord, { progress, signal }: NodeWork): Promise<NodeRecord> {
  const { name } = record
  if ((await stateOf(name)) === 'missing') {
    throw new KraftError({
      kind: 'task',
      node: name,
      message: `its machine is gone from ${folderOf(name)}`,
      next: `Forget it with kraft terminate:${name} and provision it anew.`,
    })
  }
  await vagrant(name, ['up', '--no-provision'], { onLine: progress, signal })
  const { address, port } = parseSshConfig(await vagrant(name, ['ssh-config'], { signal }), name)
  await answers(name, { address, port }, signal)
  return { ...record, address, port }
}

async function destroy({ name }: NodeRecord, _settings: unknown, progress: (line: string) => void): Promise<void> {
  if (!existsSync(folderOf(name))) return
  progress(`Removing the machine in ${folderOf(name)}`)
  await remove(name)
}

async function remove(name: string): Promise<void> {
  if (existsSync(join(folderOf(name), '.vagrant'))) await vagrant(name, ['destroy', '--force'])
  await rm(folderOf(name), { recursive: true, force: true })
}
