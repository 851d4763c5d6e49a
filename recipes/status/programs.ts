import { duration, size } from '../../engine/report/progress-text.js'
import { lines } from '../../engine/shell/sh.js'
import { withMissing } from '../missing-programs.js'
import { howEnded, lookAtPrograms, type Program, readPrograms } from '../ps.js'
import { sayStopped } from '../stopped.js'
import type { Attention, StatusPart } from './part.js'

// One that has been up for so long has come to itself.
const settled = 600

/** The web process, the project's own processes, and cron entries. */
export const programs: StatusPart = {
  name: 'programs',
  look: ({ instance }) => lines(sayStopped(instance), lookAtPrograms(instance)),
  read(printed, { instance, node, word, deployed }) {
    if (!deployed) return { rows: [], data: [], attention: [] }
    const stopped = /^stopped$/m.test(printed)
    const found = withMissing(instance, node, readPrograms(printed)).programs
    const workers = found.filter(({ kind }) => kind === 'web worker').length
    const shown = found.filter(({ kind }) => kind !== 'web worker')
    return {
      rows: shown.map((program): [string, string] => [
        program.kind === 'cron' ? `cron ${program.name}` : program.name,
        [
          program.state,
          ...(program.seconds === undefined ? [] : [`since ${duration(program.seconds)}`]),
          ...(program.kind === 'web' && program.state === 'run' ? [`${workers} worker${workers === 1 ? '' : 's'}`] : []),
          ...(program.memory === undefined ? [] : [size(program.memory)]),
          ...(program.restarts ? [`ended ${program.restarts} time${program.restarts === 1 ? '' : 's'}`] : []),
          howEnded(program) ?? [],
        ]
          .flat()
          .join(', '),
      ]),
      data: found,
      attention: shown.flatMap((program) => needs(program, stopped, word)),
    }
  },
}

/** What a program wants of whoever looks; `word` is the target. */
export function needs(
  { kind, name, state, seconds = 0, restarts = 0, code = 0, signal }: Program,
  stopped: boolean,
  word: string,
): readonly Attention[] {
  const log = `kraft logs:${word} ${kind === 'cron' ? `cron.${name}` : name.replace(/\.1$/, '')}`
  if (state === 'missing') return [{ what: `${name} is in kraftwerk.yaml and not on the node`, next: `kraft deploy:${word}` }]
  if (kind === 'cron') {
    return state !== 'run' && code !== 0 ? [{ what: `cron entry ${name} ended with code ${code}`, next: `Its log: ${log}` }] : []
  }
  if (stopped || state === 'old') return []
  // Between an end and the next start it is down, which says less.
  if (restarts >= 3 && (state !== 'run' || seconds < settled))
    return [
      {
        what: `${name} has ended ${restarts} times, last ${signal === undefined ? `with code ${code}` : `by ${signal}`}`,
        next: `Its log: ${log}`,
      },
    ]
  if (state !== 'run') return [{ what: `${name} does not run (${state})`, next: `Its log: ${log}; then kraft restart:${word}` }]
  return []
}
