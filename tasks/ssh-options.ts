import { unreadConfiguration } from '../engine/ssh/installed.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'

/** Prints what kraft takes from the configuration of OpenSSH for a host, without connecting. */
export const sshOptions = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  help: "print the ssh options that kraft uses for a host\nThose of ~/.ssh/config and the system's, as ssh -G prints them.",
  changes: 'nothing',
  examples: ['kraft ssh-options one', 'kraft ssh-options web.example.com --config deploy/ssh_config'],
  raw: true,
  options: {
    host: option({ type: 'string', positional: true, required: true, help: 'a node, or any host that ssh can name' }),
    config: option({ type: 'string', help: "read this file instead of ~/.ssh/config and the system's" }),
  },
  async run({ options, session }) {
    const { optionRows, strictness } = await import('../engine/ssh/config.js')
    const { host, config } = options
    const unread = unreadConfiguration()
    if (unread !== undefined) session.report.note(`warning: ${unread}`)
    const record = (await session.inventory()).all().find(({ name }) => name === host)
    if (record !== undefined) session.report.note(`${host} is in nodes.yaml, whose address, port and user win.`)
    const { address, port, user } = record ?? {}
    const rows = await optionRows({ name: host, address, port, user, hostKeys: [] }, config)
    const strict = rows.find(([name]) => name === 'stricthostkeychecking')?.[1]
    if (strictness(strict) === 'weaker')
      session.report.note(`kraft verifies host keys always: it takes stricthostkeychecking ${strict} as ask.`)
    return new Result(rows.map(([name, value]) => `${name} ${value}`).join('\n'), rows)
  },
})
