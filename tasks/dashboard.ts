import { requirePort } from '../engine/ssh/listen.js'
import { untilStopped } from '../engine/ssh/until-stopped.js'
import { option } from '../engine/task/option.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { openBrowser } from './browser.js'
import { watchedBy } from './dashboard/watched.js'

/** Shows nodes and environments on a page of this machine, until Ctrl-C. */
export const dashboard = task({
  on: 'once',
  needs: 'nothing',
  optionalTarget: true,
  gathers: true,
  // Nothing of it is left once it ends, and logs take a channel for as long as they are read.
  connection: 'new',
  raw: true,
  group: 'Day by day',
  help: 'show nodes, environments, releases, programs, backups and logs on a local web page that changes nothing, until Ctrl-C',
  examples: ['kraft dashboard', 'kraft dashboard:live', 'kraft dashboard --port 8800 --no-open'],
  options: {
    port: option({ type: 'number', help: 'the port of this machine (default: one that is free)' }),
    open: option({
      type: 'boolean',
      default: true,
      help: 'leave the browser alone, which at a terminal shows it where there is one',
    }),
  },
  async run({ asked, options, session }) {
    const { port = 0 } = options
    requirePort(port)
    const words = asked.targets.map(({ word }) => word).filter((word) => word !== '')
    const watched = await watchedBy(session, words)
    const nodes = watched.nodes.map(({ name }) => name)
    const environments = watched.targets.map(({ word }) => word)
    if (session.flags.dryRun) {
      const shown = [...environments, ...nodes].join(', ')
      return new Result(`Would show ${shown} on a page of this machine`, { nodes, environments })
    }
    const { serveDashboard } = await import('./dashboard/serve.js')
    const served = await serveDashboard(watched, session, port)
    try {
      const said = { url: served.url, port: served.port, nodes, environments }
      process.stdout.write(session.flags.json ? `${JSON.stringify(said)}\n` : `${served.url}\n`)
      if (!session.flags.json) session.report.note('Whoever has this address sees the dashboard. Ctrl-C ends it')
      if (options.open && process.stdout.isTTY === true) await openBrowser(served.url)
      await untilStopped()
    } finally {
      served.close()
    }
    return new ExitCode(0)
  },
})
