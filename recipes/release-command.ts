import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Application } from './application.js'
import { noteMigrations, pendingMigrations, readMigrations } from './migrations.js'
import { type Release, runInGeneration } from './release.js'

/**
 * Runs the release command: what it is about to migrate is said first and noted afterwards, also where it fails half-way, and no
 * statement of it waits long for a lock in PostgreSQL, because whoever comes after it would wait as well.
 */
export function releaseCommand(application: Application, release: Release): readonly Step[] {
  const { release: command, framework } = application
  if (command === undefined) return []
  const seconds = lockTimeout(application)
  const limited = seconds === 0 ? command : `export PGOPTIONS="\${PGOPTIONS:+$PGOPTIONS }-c lock_timeout=${seconds}s"\n${command}`
  const { foretell } = framework
  const [run] = runInGeneration(release, command, limited)
  if (run === undefined) return []
  return [
    ...(foretell === undefined ? [] : [foretold(release, foretell)]),
    {
      ...run,
      apply: lines(
        sh`
        {
          code=0
          (
            ${run.apply}
          ) 2>&1 || code=$?
          echo "$code" >"$KRAFT_STEP/code"
        } | tee "$KRAFT_STEP/said"
        code=$(cat "$KRAFT_STEP/code")
      `,
        foretell === undefined ? undefined : noted(release, foretell),
        seconds === 0 ? undefined : explainLock(release, seconds),
        sh`exit "$code"`,
      ),
    },
  ]
}

// A pooler between may refuse options of a session, so only where the database is kraft's own, or it is asked for.
function lockTimeout({ instance: { settings }, services }: Application): number {
  return settings.lock_timeout ?? (services.some(({ service }) => service.name === 'postgres') ? 5 : 0)
}

function enter({ place, id, generation }: Release, ...command: readonly string[]): Sh {
  return sh`${`${layout.settings(place)}/enter`} --generation ${layout.generation(place, id, generation)} ${command}`
}

// What can't be foretold fails nothing: the release command will say why.
function foretold(release: Release, command: string): Step {
  const pending = pendingMigrations(release)
  return {
    title: 'What it is about to migrate',
    quiet: true,
    loud: true,
    apply: sh`
      if ! ${enter(release, 'bash', '-c', command)} >"$KRAFT_STEP/said" 2>"$KRAFT_STEP/error"; then
        printf 'It could not be foretold: %s\n' "$(tail -n 1 "$KRAFT_STEP/error")"
      fi
      sed -n 's/^kraft-check /check --deploy: /p' "$KRAFT_STEP/said"
      ${readMigrations} <"$KRAFT_STEP/said" >${pending}
      sed 's/ reversible$//; s/ irreversible$/ (irreversible: Django can not take it back)/; s/^/pending: /' ${pending}
    `,
  }
}

function noted(release: Release, command: string): Sh {
  return sh`
    if [ -s ${pendingMigrations(release)} ]; then
      if ${enter(release, 'bash', '-c', command)} 2>/dev/null | ${readMigrations} >"$KRAFT_STEP/left"; then
        ${noteMigrations(release, sh`"$KRAFT_STEP/left"`)}
      fi
    fi
  `
}

// Only the first words of what others run are shown: the rest may hold data.
const holders = `SELECT format('  process %s (%s) is %s, its transaction is open for %s s: %s …', pid,
    coalesce(nullif(application_name, ''), usename), coalesce(state, 'hidden'), round(extract(epoch FROM now() - xact_start)),
    array_to_string((regexp_split_to_array(trim(query), '\\s+'))[1:3], ' '))
  FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type = 'client backend' ORDER BY xact_start LIMIT 5`

function explainLock(release: Release, seconds: number): Sh {
  return sh`
    if [ "$code" != 0 ] && grep -q 'due to lock timeout' "$KRAFT_STEP/said"; then
      waited=$(grep -o 'Applying [A-Za-z0-9_]*\.[A-Za-z0-9_]*' "$KRAFT_STEP/said" | tail -n 1)
      printf '%s waited more than %s s for a lock in PostgreSQL and gave up, so that no request waits behind it.\n' "\${waited:-It}" ${seconds}
      echo 'Transactions that are open now:'
      ${enter(release, 'psql', '-XAtq', '-c', holders)} 2>/dev/null || :
      echo 'Run the same command again when they have ended, or give it longer: lock_timeout in kraftwerk.yaml'
    fi
  `
}
