import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/** C.UTF-8 for logins and services: it is on every release without generating anything, and what is UTF-8 stays UTF-8. */
export function locale(): readonly Step[] {
  return [
    {
      title: 'Locale C.UTF-8',
      check: sh`grep -qx 'LANG="\{0,1\}C\.UTF-8"\{0,1\}' /etc/default/locale && ! grep -q '^LC_ALL=' /etc/default/locale`,
      // Debian 13 makes it a link to /etc/locale.conf, which stays one.
      apply: sh`
        file=$(readlink -f /etc/default/locale)
        new=$(mktemp "$file.kraft-XXXXXXXX")
        trap 'rm -f "$new"' EXIT
        if [ -e "$file" ]; then sed '/^\(LANG\|LC_ALL\)=/d' "$file" >"$new"; fi
        echo LANG=C.UTF-8 >>"$new"
        chmod 0644 "$new"
        mv -fT "$new" "$file"
      `,
      diff: sh`echo LANG=C.UTF-8`,
    },
  ]
}
