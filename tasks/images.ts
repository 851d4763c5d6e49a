import type { Image } from '../engine/node/provider.js'
import { task } from '../engine/task/task.js'
import { offerOptions, offers } from './offers.js'

/** Lists the images of a provider. */
export const images = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  help: 'list what a provider makes nodes from',
  changes: 'nothing',
  examples: ['kraft images', 'kraft images debian 12 --provider ec2'],
  raw: true,
  options: offerOptions,
  run: ({ options, session }) =>
    offers('images', session, options, ['ID', 'NAME', 'ARCHITECTURE'], ({ id, name, architecture }: Image) => [
      id,
      name,
      architecture,
    ]),
})
