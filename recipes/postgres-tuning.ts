import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { askPostgres, postgresVersion } from './postgres.js'

// Rounded, because a kernel keeps now a little more and now a little less for itself.
const tuned = sh`
  file="/etc/postgresql/$version/main/conf.d/50-kraftwerk.conf"
  tuned() {
    awk '
      NR == FNR { if ($1 == "MemTotal:") memory = int($2 / 1024 / 64 + 0.5) * 64; next }
      /^#/ { print; next }
      {
        while (match($0, /@MEMORY\/[0-9]+,[0-9]+@/)) {
          split(substr($0, RSTART + 8, RLENGTH - 9), given, ",")
          value = int(memory / given[1])
          if (value < given[2]) value = given[2]
          $0 = substr($0, 1, RSTART - 1) value substr($0, RSTART + RLENGTH)
        }
        print
      }' /proc/meminfo "$KRAFT_STEP/settings"
  }
`

/** Gives PostgreSQL its share of the node's memory. It is started anew for that only where nobody is connected. */
export function postgresTuning(): readonly Step[] {
  return [
    {
      title: "PostgreSQL is tuned to the node's memory",
      files: { settings: render('services/postgres.conf') },
      check: lines(postgresVersion, tuned, sh`tuned | cmp -s - "$file"`),
      apply: lines(
        postgresVersion,
        askPostgres,
        tuned,
        sh`
        tuned >"$file.new"
        mv -fT "$file.new" "$file"
        wrong=$(ask "select error || ' in line ' || sourceline || ' of ' || sourcefile from pg_file_settings
          where sourcefile = '$file' and error is not null and error <> 'setting could not be applied'")
        if [ -n "$wrong" ]; then
          printf '%s\n' "$wrong"
          rm -f "$file"
          exit 1
        fi
        if [ "$(ask "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")" = 0 ]
        then systemctl restart "postgresql@$version-main.service"
        else
          systemctl reload "postgresql@$version-main.service"
          echo 'Somebody is connected: shared_buffers changes when PostgreSQL is started anew'
        fi
      `,
      ),
      diff: lines(postgresVersion, tuned, sh`tuned | diff -u "$file" - || :`),
    },
  ]
}
