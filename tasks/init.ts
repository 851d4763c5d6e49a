import { basename, resolve } from 'node:path'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { templateFolders } from '../engine/template/find.js'
import { renderSkeleton, writeSkeleton } from '../project/skeleton.js'

/** Writes a new project that deploys as it is. */
export const init = task({
  on: 'once',
  needs: 'nothing',
  group: 'Start',
  help: 'write a new project that deploys as it is',
  examples: ['kraft init shop', 'kraft init api --framework flask'],
  options: {
    name: option({ type: 'string', positional: true, required: true, help: 'name of the project, and of its folder' }),
    framework: option({
      type: 'string',
      default: 'django',
      help: 'django, flask, wsgi, or a folder of your own in templates/skeleton/',
    }),
  },
  async run({ options, session }) {
    const folder = resolve(session.folder, options.name)
    // As typed, without the slash that completion leaves at the end.
    const shown = options.name.replace(/\/+$/, '') || options.name
    const { framework } = options
    const request = { folder, name: basename(folder), framework, templates: templateFolders(), version: session.version }
    if (session.flags.dryRun) {
      const paths = [...(await renderSkeleton(request)).keys()].sort()
      const rows = [`Would write a ${framework} project to ${folder}:`, ...paths.map((path) => `  ${path}`)]
      return new Result(rows.join('\n'), { folder, files: paths })
    }
    const files = await writeSkeleton(request)
    const next = `cd ${shown} && kraft provision one && kraft bootstrap:one && kraft deploy`
    return new Result(`${shown}/ has ${files.length} files`, { folder, files }, next)
  },
})
