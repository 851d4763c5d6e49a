import { constants, existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { templateHeader } from '../engine/template/header.js'
import { type FoundTemplate, listTemplates, locateTemplate } from '../engine/template/list.js'
import { describeTemplate } from './describe-template.js'

/** Lists the templates of all files that land on a node, shows what one is given, or copies it out to change it. */
export const templates = task({
  on: 'once',
  needs: 'nothing',
  group: 'More',
  help: 'list what lands on a node; show a template, or copy one out\nWith what each is given. One that is copied out is yours to change.',
  changes: 'nothing; eject writes a file here',
  examples: [
    'kraft templates',
    'kraft templates show nginx/site.conf',
    'kraft templates eject nginx/site.conf',
    'kraft templates eject nginx/nginx.conf --to user',
  ],
  options: {
    verb: option({
      type: 'string',
      positional: true,
      choices: ['list', 'show', 'eject'],
      default: 'list',
      help: 'list, show or eject',
    }),
    name: option({ type: 'string', positional: true, help: 'show, eject: the template' }),
    to: option({
      type: 'string',
      choices: ['project', 'user'],
      help: 'eject: templates/ of the project, or the folder that ~/.kraftwerk.yaml names (default: project, outside of one user)',
    }),
  },
  raw: true,
  async run({ options: { verb, name, to }, session }) {
    if (verb === 'list') return list(session, name)
    if (name === undefined) {
      const message = verb === 'show' ? 'Say which template to show' : 'Say which template to copy out'
      throw new KraftError({ kind: 'usage', message, next: 'kraft templates lists them' })
    }
    const found = locateTemplate(name)
    if (verb === 'show') return show(session, found)
    return eject(session, found, to ?? (session.project === undefined ? 'user' : 'project'))
  },
})

type Origin = 'project' | 'user' | 'kraftwerk'

function list(session: Session, name: string | undefined): Result {
  if (name !== undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `templates list takes no name, got "${name}"`,
      next: `What it is: kraft templates show ${name}. To copy it out: kraft templates eject ${name}`,
    })
  }
  const found = listTemplates().map((each) => {
    const header = templateHeader(each.name)
    return { name: each.name, from: originOf(session, each), file: each.file, to: header?.to, mode: header?.mode }
  })
  const width = (key: 'name' | 'from') => Math.max(...found.map((each) => each[key].length))
  const rows = found.map((each) => {
    const where = each.from === 'kraftwerk' ? (each.to ?? '') : shown(session, each.file)
    return `${each.name.padEnd(width('name'))}  ${each.from.padEnd(width('from'))}  ${where}`.trimEnd()
  })
  return new Result(rows.join('\n'), found)
}

function show(session: Session, found: FoundTemplate): Result {
  const { name, file } = found
  const from = originOf(session, found)
  const header = templateHeader(name)
  const text = describeTemplate({ name, header, file: from === 'kraftwerk' ? undefined : shown(session, file) })
  return new Result(text, { name, from, file, ...header }, from === 'kraftwerk' ? `kraft templates eject ${name}` : undefined)
}

async function eject(session: Session, found: FoundTemplate, to: 'project' | 'user'): Promise<Result> {
  const { name, file } = found
  const folder = folderOf(session, to)
  if (folder === undefined) throw nowhere(to)
  // A file of one's own may leave out .ejs, and counts all the same.
  const own = [join(folder, `${name}.ejs`), join(folder, name)].find((path) => existsSync(path))
  if (own !== undefined) throw taken(session, own)
  const target = join(folder, relative(found.folder, file))
  const data = { name, from: file, file: target }
  const hidden = to === 'user' && originOf(session, found) === 'project'
  const others = hidden ? [`${shown(session, file)} stays the one that is used: a project's templates win over yours`] : []
  if (session.flags.dryRun) return new Result([`Would copy ${file} to ${shown(session, target)}`, ...others].join('\n'), data)
  await mkdir(dirname(target), { recursive: true })
  await copyFile(file, target, constants.COPYFILE_EXCL)
  return new Result([shown(session, target), ...others].join('\n'), data)
}

function taken(session: Session, file: string): KraftError {
  return new KraftError({
    kind: 'usage',
    message: `${shown(session, file)} is there already`,
    next: 'Change that one. To begin anew, remove it first',
  })
}

function nowhere(to: 'project' | 'user'): KraftError {
  return to === 'project'
    ? new KraftError({
        kind: 'usage',
        message: 'There is no project here whose templates/ could hold it',
        next: 'Go to the folder with kraftwerk.yaml, or take --to user',
      })
    : new KraftError({
        kind: 'usage',
        message: 'You have no folder of templates',
        next: 'Name one in ~/.kraftwerk.yaml, for example: templates: ~/templates',
      })
}

function folderOf({ project, user }: Session, of: 'project' | 'user'): string | undefined {
  if (of === 'user') return user.templates
  return project === undefined ? undefined : join(project.folder, 'templates')
}

function originOf(session: Session, { folder }: FoundTemplate): Origin {
  return (['project', 'user'] as const).find((of) => folderOf(session, of) === folder) ?? 'kraftwerk'
}

// As one would type it from where one is.
function shown({ folder }: Session, file: string): string {
  const path = relative(folder, file)
  return path.startsWith('../..') ? file : path
}
