import { setTimeout as pause } from 'node:timers/promises'
import { hasColors } from '../engine/report/abilities.js'
import { quote } from '../engine/shell/sh.js'
import { untilStopped } from '../engine/ssh/until-stopped.js'
import { noProject } from '../engine/task/no-project.js'
import { option } from '../engine/task/option.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { privateFiles } from '../project/private-files.js'
import { loadProject } from '../project/settings.js'
import { readApplication } from '../recipes/application.js'
import { knownKinds } from '../recipes/kinds.js'
import { openBrowser } from './browser.js'
import { chooseEnvironment } from './dev/environment.js'
import { freePort } from './dev/free-port.js'
import { answers } from './dev/here.js'
import { oneCommand } from './dev/one-command.js'
import { prepare, shown } from './dev/prepare.js'
import { chosenNames, processPrograms, webProgram } from './dev/programs.js'
import { createScreen } from './dev/screen.js'
import { sideBySide } from './dev/side-by-side.js'

/** The project on this machine. */
export const dev = task({
  on: 'once',
  // A way to a service takes one of the connection's channels for each client.
  connection: 'new',
  needs: 'nothing',
  optionalTarget: true,
  raw: true,
  takesRest: true,
  group: 'Start',
  meantBy: ['serve', 'server', 'runserver', 'local'],
  help: 'run the project on this machine, with reload on save\nWeb and processes side by side or, behind --, one command in the same environment.',
  changes: 'nothing by itself; what runs here uses the services of a local node, if there is one',
  examples: ['kraft dev', 'kraft dev -- pytest -x', 'kraft dev -- manage.py migrate', 'kraft dev --only web --port 9000'],
  options: {
    port: option({ type: 'number', help: 'the port of the site (default: 8000, or the next that is free)' }),
    only: option({ type: 'string', many: true, help: 'only these: web, or names of processes, with commas between them' }),
    open: option({ type: 'boolean', help: 'open the site in the browser' }),
    vault: option({ type: 'boolean', help: 'fetch values of environ from their vaults' }),
    node: option({ type: 'boolean', default: true, help: 'no services of a local node' }),
  },
  async run({ target, options, rest, session }) {
    const project = await loadProject(session.folder, knownKinds())
    if (project === undefined) throw noProject('dev')
    const instance = chooseEnvironment(project, target.word)
    const { dryRun } = session.flags
    const single = rest.length > 0
    const names = single ? [] : chosenNames(instance.settings.processes, options.only)
    const port = names.includes('web') ? await freePort(options.port) : undefined
    const application = await readApplication(instance)
    const colored = hasColors(process.stdout)
    const screen = createScreen(names, process.stdout, colored)
    const say = single || dryRun ? (text: string) => session.report.note(text) : screen.say
    const { environ, site, sources, title } = await prepare(
      { application, node: options.node, vault: options.vault, say },
      session,
    )
    const { folder } = project
    const known = [
      ...(port === undefined ? [] : [webProgram({ ...site, port })]),
      ...processPrograms(instance.settings.processes),
    ]
    const programs = known.filter(({ name }) => names.includes(name))
    if (dryRun) {
      const all = single ? [{ name: 'command', command: rest }] : programs
      const rows = all.map(({ name, command }) => `  ${name}: ${command.map((word) => quote(shown(word, folder))).join(' ')}`)
      return new Result([`Would run ${title}:`, ...rows].join('\n'), { folder, programs: all })
    }
    try {
      if (single) return new ExitCode(await oneCommand(rest, environ))
      say(`${title}; Ctrl-C ends it`)
      const stopped = Promise.race([untilStopped(), nobodyReads()])
      if (port !== undefined) {
        const url = `http://127.0.0.1:${port}/`
        say(`web: ${url}`)
        if (options.open) void openSoon(url, port, say)
      }
      await sideBySide({ programs, stays: privateFiles(project), stopped, folder, environ, screen })
      return new ExitCode(0)
    } finally {
      for (const source of sources) source.close()
    }
  },
})

// The terminal, or the program that a pipe leads to, has gone.
function nobodyReads(): Promise<void> {
  return new Promise((resolve) => process.stdout.on('error', () => resolve()))
}

/** Seconds that the site may take to answer at first. */
const patience = 30

async function openSoon(url: string, port: number, say: (text: string) => void): Promise<void> {
  for (
    const start = performance.now();
    performance.now() - start < patience * 1000;
    await pause(100, undefined, { ref: false })
  ) {
    if (!(await answers(port))) continue
    if ((await openBrowser(url)) === undefined) say('There is no browser to open: set BROWSER, or follow the address')
    return
  }
}
