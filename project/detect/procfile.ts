import { word } from '../name.js'
import type { Detector, Finding } from './finding.js'

/** Heroku's Procfile: `web` names the callable, `release` the release command, all others are processes. */
export const procfile: Detector = (tree) =>
  (tree.read('Procfile') ?? '').split('\n').flatMap((row, index) => {
    const [, name, command] = /^\s*([\w-]+)\s*:\s*(\S.*?)\s*$/.exec(row) ?? []
    return name === undefined || command === undefined ? [] : [entry(name, command, index + 1)]
  })

function entry(name: string, command: string, line: number): Finding {
  const place = { file: 'Procfile', line }
  if (name === 'release') return { what: 'the release command', ...place, sets: { release: command } }
  if (name === 'web') return web(command, place)
  const called = name.toLowerCase()
  if (!word.test(called))
    return { what: `the process ${name}`, ...place, todo: `A process can't be called "${name}": give it another name` }
  return { what: `the process ${called}`, ...place, sets: { processes: { [called]: command } } }
}

// gunicorn's options that stand apart from their value, as far as Procfiles use them, would look like a module: one has a dot or a colon.
function web(command: string, place: { file: string; line: number }): Finding {
  // A shell reads the quotes that it needs around brackets.
  const words = command.split(/\s+/).map((each) => each.replace(/^(['"])(.*)\1$/, '$2'))
  const at = words.findIndex((each) => /(^|\/)(gunicorn|waitress-serve)$/.test(each))
  const module = words
    .slice(at + 1)
    .reverse()
    .find(
      (each, index, all) =>
        /^[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*(\(\))?)?$/.test(each) &&
        !/^-/.test(all[index + 1] ?? '') &&
        /[.:]|^\w*wsgi$|^app$/.test(each),
    )
  if (at === -1 || module === undefined) {
    return { what: 'the web process', ...place, todo: `It is started by something else than gunicorn: ${command}` }
  }
  const wsgi = module.includes(':') ? module : `${module}:application`
  const src = /--chdir[= ]\.?\/?([\w./-]+)/.exec(command)?.[1]?.replace(/\/$/, '')
  return { what: `the WSGI callable ${wsgi}`, ...place, sets: { wsgi, ...(src === undefined ? {} : { src }) } }
}
