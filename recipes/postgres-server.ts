import { isIPv6 } from 'node:net'
import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place, ServiceServer } from '../project/service.js'
import { askPostgres, postgresListens, postgresVersion } from './postgres.js'
import { isCertificateOf, letIn, makeCertificate, makePassword, printAccess, readAccess } from './serve-others.js'
import { noServicePort, servicePort } from './service-ports.js'

const name = 'postgres'
const port = 5432
const password = (place: Place) => layout.password(place, name)
const clients = (place: Place) => layout.clients(place, name)
// What new databases are made of: with the extensions that the instance's role could not make.
const empty = (place: Place) => `${place.name}+empty`

// `into DATABASE` runs the statements of stdin there, and nothing that its owner has put into a search path.
const admin = lines(
  postgresVersion,
  askPostgres,
  sh`into() { runuser -u postgres -- env PGOPTIONS='-c search_path=pg_catalog' psql --cluster "$version/main" -XAtq -v ON_ERROR_STOP=1 -d "$1"; }`,
)
const folder = sh`"/etc/postgresql/$version/main"`

/** PostgreSQL for other nodes: over TLS, with a password, from their addresses alone. */
export const postgresServer: ServiceServer = {
  setup: (place, _settings, { address, clients }) => [
    role(place),
    template(place),
    certificate(address),
    mayCome(place, clients),
    ...servicePort(place, name, port, clients),
    postgresListens(),
  ],
  access: (place) => lines(postgresVersion, printAccess(place, name, sh`${folder}/kraftwerk.crt`)),
  read: (printed, place, address) =>
    readAccess(printed, 'DATABASE_URL', address, `postgresql://${place.name}:PASSWORD@HOST:${port}/${place.name}`),
}

/** Nobody comes from other nodes any more. */
export function noPostgresServer(place: Place): readonly Step[] {
  return [
    {
      title: `No other node reaches the database of ${place.name}`,
      check: sh`test ! -e ${clients(place)}`,
      apply: lines(
        admin,
        without(place),
        sh`
        replace </dev/null
        rm -f ${clients(place)} ${password(place)}
      `,
        postgresListens().apply,
      ),
    },
    noServicePort(place, name),
  ]
}

/** Databases of an instance that only a server for others has. */
export function serverDatabases(place: Place): readonly string[] {
  return [empty(place), `${place.name}+door`]
}

// No log of the server's shows the password, and no argument.
function role(place: Place): Step {
  return {
    title: `Role ${place.name} has a password and may make databases`,
    check: lines(
      admin,
      sh`
      test -s ${password(place)}
      [ "$(ask ${`SELECT 1 FROM pg_authid WHERE rolname = '${place.name}' AND rolcreatedb AND rolpassword LIKE 'SCRAM%'`})" = 1 ]
    `,
    ),
    apply: lines(
      admin,
      sh`
      ${makePassword(place, name)}
      {
        printf '%s\n' "SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET log_min_duration_statement = -1;"
        printf '%s\n' "SET password_encryption = 'scram-sha-256';"
        printf 'ALTER ROLE "%s" CREATEDB PASSWORD '"'%s'"';\n' ${place.name} "$(cat ${password(place)})"
      } | into postgres
    `,
    ),
  }
}

function template(place: Place): Step {
  const missing = sh`
    granted=$(echo ${`SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
      AND extowner <> (SELECT oid FROM pg_roles WHERE rolname = '${place.name}')`} | into ${place.name})
    there() { [ "$(ask ${`SELECT 1 FROM pg_database WHERE datname = '${empty(place)}' AND NOT has_database_privilege('public', oid, 'CONNECT')`})" = 1 ]; }
    missing() {
      for each in $granted; do
        if [ "$(echo "SELECT 1 FROM pg_extension WHERE extname = '$each'" | into ${empty(place)})" != 1 ]; then echo "$each"; fi
      done
    }
  `
  return {
    title: `An empty database for the loads of ${place.name}`,
    check: lines(admin, missing, sh`there && [ -z "$(missing)" ]`),
    apply: lines(
      admin,
      missing,
      sh`
      if ! there; then
        printf '%s;\n' ${`DROP DATABASE IF EXISTS "${empty(place)}"`} \
          ${`CREATE DATABASE "${empty(place)}" OWNER "${place.name}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'`} | into postgres
        echo ${`ALTER SCHEMA public OWNER TO "${place.name}"`} | into ${empty(place)}
        echo ${`REVOKE ALL ON DATABASE "${empty(place)}" FROM PUBLIC`} | into postgres
      fi
      for each in $(missing); do echo "SET search_path = public; CREATE EXTENSION \"$each\"" | into ${empty(place)}; done
    `,
    ),
  }
}

/** It proves who it is by a certificate of its own, which the other nodes have; it ends with the node. */
function certificate(address: string): Step {
  const crt = sh`${folder}/kraftwerk.crt`
  const settings = sh`
    settings() {
      printf "ssl = on\nssl_cert_file = '%s'\nssl_key_file = '%s'\n" ${folder}/kraftwerk.crt ${folder}/kraftwerk.key
    }
    file=${folder}/conf.d/60-kraftwerk-tls.conf
  `
  return {
    title: `PostgreSQL proves that it is ${address}`,
    check: lines(
      admin,
      settings,
      sh`
      ${isCertificateOf(address, crt)}
      settings | cmp -s - "$file"
      [ "$(ask 'SHOW ssl_cert_file') $(ask 'SHOW ssl')" = ${folder}'/kraftwerk.crt on' ]
    `,
    ),
    apply: lines(
      admin,
      settings,
      sh`
      ${makeCertificate(address, { key: sh`${folder}/kraftwerk.key`, file: crt, owner: 'postgres' })}
      settings >"$file.new"
      chown postgres:postgres "$file.new"
      chmod 0644 "$file.new"
      mv -fT "$file.new" "$file"
      systemctl reload "postgresql@$version-main.service"
    `,
    ),
  }
}

// Its rules in pg_hba.conf are a block; `replace` puts stdin in the place of it, at the end, and what is wrong does not stay.
const without = ({ name }: Place) => sh`
  rules=${folder}/pg_hba.conf
  begin=${`# kraftwerk ${name}: begin`} end=${`# kraftwerk ${name}: end`}
  block() { awk -v begin="$begin" -v end="$end" '$0 == begin { inside = 1 } inside { print } $0 == end { inside = 0 }' "$rules"; }
  replace() {
    umask 077
    cp -p "$rules" "$rules.kraft"
    { awk -v begin="$begin" -v end="$end" '$0 == begin { inside = 1 } !inside { print } $0 == end { inside = 0 }' "$rules.kraft"; cat; } >"$rules.new"
    chown postgres:postgres "$rules.new"
    chmod 0640 "$rules.new"
    mv -fT "$rules.new" "$rules"
    wrong=$(ask "SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL")
    if [ -n "$wrong" ]; then mv -fT "$rules.kraft" "$rules"; printf '%s\n' "$wrong"; exit 1; fi
    rm -f "$rules.kraft"
    ask 'SELECT pg_reload_conf()' >/dev/null
  }
`

function mayCome(place: Place, addresses: readonly string[]): Step {
  const databases = [place.name, ...['beside', 'former', 'door', 'empty'].map((each) => `${place.name}+${each}`)]
  const rows = addresses.map((each) => {
    const network = `${each}/${isIPv6(each) ? 128 : 32}`
    return `hostssl ${databases.map((database) => `"${database}"`).join(',')} "${place.name}" ${network} scram-sha-256`
  })
  const rules = [`# kraftwerk ${place.name}: begin`, ...rows, `# kraftwerk ${place.name}: end`, ''].join('\n')
  return letIn(place, name, addresses, {
    files: { rules },
    check: lines(admin, without(place), sh`block | cmp -s - "$KRAFT_STEP/rules"`),
    apply: lines(admin, without(place), sh`replace <"$KRAFT_STEP/rules"`),
    diff: lines(admin, without(place), sh`block | diff -u - "$KRAFT_STEP/rules" || :`),
  })
}
