import type { Size } from '../engine/node/provider.js'
import { task } from '../engine/task/task.js'
import { offerOptions, offers } from './offers.js'

/** Lists the sizes of a provider. */
export const sizes = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  help: 'list how large a node can be, and what it costs',
  changes: 'nothing',
  examples: ['kraft sizes --provider hetzner', 'kraft sizes t3 --provider ec2'],
  raw: true,
  options: offerOptions,
  run: ({ options, session }) =>
    offers(
      'sizes',
      session,
      options,
      ['ID', 'CPUS', 'MEMORY', 'DISK', 'PRICE', 'ARCHITECTURE'],
      ({ id, cpus, memory, disk, price, architecture }: Size) => [
        id,
        cpus,
        `${Math.round(memory * 10) / 10} GB`,
        disk === undefined ? undefined : `${disk} GB`,
        price,
        architecture,
      ],
    ),
})
