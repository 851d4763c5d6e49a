import { KraftError } from '../../engine/errors/failure.js'
import { defineProvider } from '../../engine/node/provider.js'
import { listens } from './local/listens.js'

/** Servers that were there before: kraft knows them, and neither makes nor removes them. */
export const provider = defineProvider({
  name: 'static',
  doc: 'Any server that answers ssh: kraft adopt NAME user@host',
  section: {},
  keeps: true,

  async create({ name }) {
    throw new KraftError({
      kind: 'usage',
      message: 'The provider static makes no nodes: it stands for servers that are there',
      next: `kraft adopt ${name} user@host`,
    })
  },

  async describe({ address, port = 22 }) {
    return (await listens(address, port, { timeout: 2_000, greeting: 'SSH-' })) ? 'running' : 'stopped'
  },

  destroy: async () => undefined,
})
