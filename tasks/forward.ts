import { requirePort } from '../engine/ssh/listen.js'
import { untilStopped } from '../engine/ssh/until-stopped.js'
import { option } from '../engine/task/option.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { firstWebNode } from './first-node.js'
import { openDoor } from './open-door.js'
import { serviceOption, usedService } from './used-service.js'

/** Opens a port of this machine to a service on the node, until Ctrl-C. */
export const forward = task({
  on: 'once',
  group: 'Data',
  help: 'open a port of this machine to a service on the node, with the rights of the application, until Ctrl-C',
  examples: ['kraft forward:stage postgres', 'kraft forward:stage redis --port 6380', 'kraft forward:live postgres --json'],
  needs: 'instance',
  // Each client takes one of the connection's channels.
  connection: 'new',
  raw: true,
  options: {
    service: serviceOption,
    port: option({ type: 'number', help: 'the port of this machine (default: one that is free)' }),
  },
  async run({ target, options, session }) {
    const instance = requireInstance(target)
    const { service, settings, where } = await usedService(instance, target, options.service, 'door')
    const { port: wanted = 0 } = options
    requirePort(wanted)
    const node = firstWebNode(target)
    if (session.flags.dryRun) {
      const { at } = service.door(instance, settings)
      const text = `Would open a port of this machine to ${service.name} of ${instance.name} on ${node.name}${typeof at === 'object' ? '' : ` (${at})`}`
      return new Result(text, { node: node.name, service: service.name })
    }
    // A node that can't be reached is told before somebody uses the port.
    const open = await openDoor({
      instance,
      used: { service, settings, ...(where === undefined ? {} : { where }) },
      node,
      port: wanted,
      note: (text) => session.report.note(`${service.name}: ${text}`),
    })
    const { url, password } = open
    const said = { service: service.name, node: node.name, port: open.port, url }
    process.stdout.write(session.flags.json ? `${JSON.stringify(said)}\n` : `${url}\n`)
    if (!session.flags.json) session.report.note(`${service.name} of ${instance.name} on ${node.name}, until Ctrl-C`)
    if (password !== undefined && !session.flags.json) {
      session.report.note(`It asks for the application's password: kraft run:${target.word} -- printenv ${password}`)
    }
    try {
      await Promise.race([untilStopped(), open.lost])
    } finally {
      open.close()
    }
    return new ExitCode(0)
  },
})
