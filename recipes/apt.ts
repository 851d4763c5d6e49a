import { KraftError } from '../engine/errors/failure.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/**
 * Debian packages, installed where they are missing; those that are there stay at their version. `a|b` means the first of
 * the two that the node's release knows. The package lists are fetched only when something is missing and they are older than
 * an hour or don't know it.
 *
 * @throws KraftError where a name can't be that of a package.
 * @example apt('nginx', 'libmagic1t64|libmagic1')
 */
export function apt(...packages: readonly string[]): readonly Step[] {
  const [first] = packages
  if (first === undefined) return []
  for (const name of packages) if (!packageName.test(name)) throw notAPackage(name)
  return [
    {
      title:
        packages.length === 1
          ? `Package ${first}`
          : `Packages ${packages.slice(0, 6).join(', ')}${packages.length > 6 ? '…' : ''}`,
      check: installed(packages),
      apply: install(packages),
      diff: lines(findMissing(packages), sh`for word in $missing; do printf 'install %s\n' "$word"; done`),
    },
  ]
}

/** Shell that ends with 0 if all packages, or others that provide them, are installed. */
export function installed(packages: readonly string[]): Sh {
  return lines(findMissing(packages), sh`test -z "$missing"`)
}

/** Shell that installs packages without questions: it waits for other package managers and mends an interrupted one. */
export function install(packages: readonly string[]): Sh {
  return lines(
    preparation,
    findMissing(packages),
    sh`
      wanted=
      choose() {
        wanted=
        for word in $missing; do
          pick=
          for package in $(printf '%s' "$word" | tr '|' ' '); do
            if [ -z "$pick" ] || ! apt-cache show "$pick" >/dev/null 2>&1; then pick=$package; fi
          done
          wanted="$wanted $pick"
        done
      }
      choose
      fetched=
      if [ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ] || ! apt-get -qq -s --no-install-recommends install $wanted >/dev/null 2>&1; then
        fetch; fetched=1; choose
      fi
      code=0
      patiently apt-get install -y --no-install-recommends $wanted || code=$?
      # Lists younger than an hour can still name files that the mirror has replaced.
      if [ "$code" != 0 ] && [ -z "$fetched" ]; then
        fetch; code=0
        patiently apt-get install -y --no-install-recommends $wanted || code=$?
      fi
      exit "$code"
    `,
  )
}

const packageName = /^[a-z0-9][a-z0-9+.-]*[a-z0-9+](\|[a-z0-9][a-z0-9+.-]*[a-z0-9+])*$/

function notAPackage(name: string): KraftError {
  return new KraftError({
    kind: 'task',
    message: `apt: "${name}" is not the name of a Debian package`,
    next: 'A name has small letters, digits, "+", "-" and ".": see kraftwerk.yaml (apt:) or the kraftfile',
  })
}

const installedFormat = `\${db:Status-Status}=\${Package} \${db:Status-Status}=\${Package}:\${Architecture} `
const providedFormat = `\${db:Status-Status}, \${Provides}\\n`

// Sets $missing. Names that others provide (libmagic1 of libmagic1t64) cost a look at all packages: only when needed. What is there
// is found with one process.
function findMissing(packages: readonly string[]): Sh {
  const names = packages.flatMap((name) => name.split('|'))
  return sh`
    missing= known=" $(dpkg-query -W -f ${installedFormat} ${names} 2>/dev/null)" || :
    seek() {
      missing=
      for word in "$@"; do
        found= IFS='|'
        for package in $word; do
          case $known in *" installed=$package "*) found=1 ;; esac
        done
        unset IFS
        if [ -z "$found" ]; then missing="$missing $word"; fi
      done
    }
    seek ${packages}
    if [ -n "$missing" ]; then
      known="$known$(dpkg-query -W -f ${providedFormat} | sed -n 's/^installed, //p' | tr ',' '\n' | sed 's/^ *//; s/[ (].*//; s/^/installed=/' | tr '\n' ' ') "
      seek $missing
    fi`
}

// apt waits for dpkg's lock by itself, but neither for those of its lists and archives nor when dpkg is called directly.
const preparation = sh`
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8 LANG=C.UTF-8
  stamp=/run/kraftwerk-apt-update
  log=$(mktemp)
  trap 'rm -f "$log" "$log.code"' EXIT
  patiently() {
    command=$1; shift
    deadline=$(($(date +%s) + 300))
    while :; do
      { code=0; "$command" -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" 2>&1 || code=$?; echo "$code" >"$log.code"; } | tee "$log"
      code=$(cat "$log.code")
      if [ "$code" = 0 ] || [ "$(date +%s)" -ge "$deadline" ] || ! grep -q 'Could not get lock\|Unable to lock\|is locked by' "$log"; then return "$code"; fi
      sleep 5
    done
  }
  fetch() { patiently apt-get update -q; touch "$stamp"; }
  interrupted() { [ -n "$(dpkg --audit)" ] || [ -n "$(find /var/lib/dpkg/updates -name '[0-9]*' 2>/dev/null)" ]; }
  if interrupted; then
    # Another package manager at work looks the same as one that died; a lock tells them apart.
    tries=0
    until dpkg --force-confdef --force-confold --configure -a; do
      tries=$((tries + 1))
      if [ "$tries" -ge 60 ] || ! interrupted; then break; fi
      if [ "$tries" = 3 ]; then patiently apt-get install -y --fix-broken || :; fi
      sleep 5
    done
  fi`
