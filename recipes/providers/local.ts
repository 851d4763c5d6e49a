import * as v from 'valibot'
import type { Section } from '../../engine/config/section.js'
import { defineProvider, type Snapshots } from '../../engine/node/provider.js'
import { ableEngines, chooseEngine, engineOf } from './local/choose-engine.js'
import { engineNames } from './local/engine.js'
import { hostLacks } from './local/host.js'
import { suites, titles } from './local/image.js'

const image = v.optional(v.picklist(suites), 'bookworm')
const user = v.optional(
  v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a user name: lower-case letters, digits, - and _')),
  'root',
)
const engine = v.optional(v.picklist(['auto', ...engineNames]), 'auto')

const section = {
  image: { schema: image, doc: 'Release of the node: Debian 12 or 13, or Ubuntu 24.04', example: 'trixie' },
  user: { schema: user, doc: 'Login of the node: root, or a user with passwordless sudo that is made', example: 'debian' },
  engine: {
    schema: engine,
    doc: 'What runs the node: systemd-nspawn (Debian or Ubuntu, root or sudo), podman, docker, or the first of them that can',
    example: 'podman',
  },
} satisfies Section

const settingsSchema = v.object({ image, user, engine })

// Each engine keeps its own nodes, and what they are is for it to say.
const snapshots: Snapshots = {
  doc: 'its processes stand still while its files are copied, and go on',
  list: async (record, settings) => (await engineOf(record)).snapshots.list(record, settings),
  take: async (record, name, work) => (await engineOf(record)).snapshots.take(record, name, work),
  restore: async (record, name, work) => (await engineOf(record)).snapshots.restore(record, name, work),
  forget: async (record, name, work) => (await engineOf(record)).snapshots.forget(record, name, work),
}

/** Real Debian nodes on this very machine: systemd as PID 1, sshd, an address of their own, up in a second. */
export const provider = defineProvider({
  name: 'local',
  doc: 'A real Debian server on this very machine, up in a second (systemd-nspawn, podman or docker)',
  section,
  onThisMachine: true,
  async create({ name, publicKey, settings, progress, signal }) {
    const { engine: wanted, ...wish } = v.parse(settingsSchema, {
      image: settings.image,
      user: settings.user,
      engine: settings.engine,
    })
    return (await chooseEngine(wanted)).create({ ...wish, name, publicKey, progress, signal })
  },
  describe: async (record, settings) => (await engineOf(record)).describe(record, settings),
  start: async (record, work) => (await engineOf(record)).start(record, work),
  destroy: async (record, settings, progress) => (await engineOf(record)).destroy(record, settings, progress),
  list: async (settings) => (await Promise.all((await ableEngines()).map((each) => each.list(settings)))).flat(),
  // What podman or docker needs is there where they can be chosen at all.
  lacks: async () => {
    const able = await ableEngines()
    return able.length === 0 || able.some(({ name }) => name === 'nspawn') ? hostLacks() : []
  },
  snapshots,
  images: async () => suites.map((suite) => ({ id: suite, name: titles[suite] })),
})
