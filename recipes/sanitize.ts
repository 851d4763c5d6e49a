import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Sanitizer } from '../project/sanitize.js'
import type { Place } from '../project/service.js'
import type { DataService } from './bundle.js'

/**
 * Runs what makes a copy of data harmless, on the copy alone: SQL in the database that lies beside the live one, as the instance's own
 * role; a command in the project's environment, in which the variables of services name the copy. `all` are those that the instance has:
 * SQL for a database that is not loaded has nothing to do.
 */
export function sanitize(
  place: Place,
  services: readonly DataService[],
  sanitizers: readonly Sanitizer[],
  all = services,
): readonly Step[] {
  const known = services.flatMap(({ service, data }) =>
    data.copy === undefined ? [] : { name: service.name, ...data.copy(place) },
  )
  // It would find the live data in its environment.
  const hidden = known.find(({ environ }) => environ === undefined)?.name
  const environ = Object.entries(Object.assign({}, ...known.map((copy) => copy.environ))).map(
    ([name, value]) => `${name}=${value}`,
  )
  const databases = known.flatMap(({ sql }) => sql ?? [])
  const left = all.some(({ data }) => data.copy?.(place).sql !== undefined)
  return sanitizers.map(({ name, sql }) => {
    const title = `Sanitize: ${name}`
    if (sql === undefined && hidden !== undefined) {
      const why = `A command can not be given the copy of ${hidden}, whose address holds a password: sanitize it by a file of SQL`
      return { title, apply: sh`echo ${why}; exit 1` }
    }
    if (sql === undefined) {
      return { title, loud: true, apply: sh`exec ${`${layout.settings(place)}/enter`} env ${environ} bash -c ${name}` }
    }
    if (databases.length === 0 && left)
      return { title, loud: true, apply: sh`echo 'No database is loaded: there is nothing to do'` }
    return {
      title,
      loud: true,
      files: { sql },
      apply:
        databases.length === 1
          ? lines(...databases.map((run) => sh`${run} <"$KRAFT_STEP/sql"`))
          : sh`
            echo ${`${name} is SQL for one database, and what is loaded has ${databases.length}. Sanitize it by a command instead`}
            exit 1
          `,
    }
  })
}
