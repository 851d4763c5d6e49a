import { type Sh, sh } from '../engine/shell/sh.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'

// Copied as they are stored, because a value is no statement that could be trusted.
const settingsOf = (from: string, to: string) => `INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
  SELECT (SELECT oid FROM pg_database WHERE datname = '${to}'), setrole, setconfig
  FROM pg_db_role_setting JOIN pg_database AS d ON d.oid = setdatabase WHERE datname = '${from}';
SELECT format('GRANT %s ON DATABASE %I TO %I%s', privilege_type, '${to}', pg_get_userbyid(grantee),
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
  FROM pg_database, aclexplode(datacl) WHERE datname = '${from}' AND grantee NOT IN (0, datdba) \\gexec
`

// Of those that are not the owner's own, what is the server's not counted.
const othersGranted = `SELECT count(*) FROM (
    SELECT nspacl AS acl, nspowner AS owner FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION ALL SELECT relacl, relowner FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT attacl, relowner FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE attrelid >= 16384
    UNION ALL SELECT proacl, proowner FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT typacl, typowner FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT defaclacl, defaclrole FROM pg_default_acl
  ) AS each, aclexplode(acl) WHERE grantee NOT IN (0, owner)`

/**
 * Gives a database that was loaded what people have set for the live one, which no bundle has: settings (`ALTER DATABASE … SET`), and what
 * other roles may do. Grants are given as the instance's own role; what they name and the bundle has not is passed over. Wants the shell
 * function `admin`.
 */
export const keepRights = (place: Place, from: string, to: string): Sh => sh`
  printf '%s' ${settingsOf(from, to)} | admin -d postgres
  if [ "$(admin -d ${from} -c ${othersGranted})" != 0 ]; then
    umask 077
    rights=$(mktemp -d)
    chgrp ${place.name} "$rights"
    chmod 0710 "$rights"
    if ${asInstance(place, 'pg_dump', '--format=custom', '--schema-only', '--no-owner')} --dbname ${from} >"$rights/dump"; then
      ${asInstance(place, 'pg_restore', '--list')} <"$rights/dump" | grep -E '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT )?ACL ' >"$rights/list" || :
      chown ${place.name} "$rights/list"
      ${asInstance(place, 'pg_restore', '--no-owner')} --dbname ${to} --use-list "$rights/list" <"$rights/dump" || :
    fi
    rm -rf "$rights"
  fi
`
