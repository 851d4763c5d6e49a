import type { Region } from '../engine/node/provider.js'
import { task } from '../engine/task/task.js'
import { offerOptions, offers } from './offers.js'

/** Lists the regions of a provider. */
export const regions = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  help: 'list where a provider has nodes',
  changes: 'nothing',
  examples: ['kraft regions --provider digitalocean'],
  raw: true,
  options: offerOptions,
  run: ({ options, session }) => offers('regions', session, options, ['ID', 'NAME'], ({ id, name }: Region) => [id, name]),
})
