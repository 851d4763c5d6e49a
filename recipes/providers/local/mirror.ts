import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import { type Sh, sh } from '../../../engine/shell/sh.js'
import { aptSettings, aptSites } from './apt-settings.js'
import type { Suite } from './image.js'
import { explain } from './root.js'

/** Where a release comes from. */
export interface Mirror {
  readonly main: string
  /** Lines of a sources.list. */
  readonly sources: readonly string[]
  /** How this machine's apt reaches them, for mmdebstrap, which does not read its settings. */
  readonly options: readonly (string | Sh)[]
  /** Script that comes before: `$keyring` is a file with the keys that its releases are signed with. */
  readonly keys: Sh
}

/** The mirrors of a release: those that this machine's own apt uses, the distribution's own where it has none. */
export async function findMirror(suite: Suite): Promise<Mirror> {
  const sites = await aptSites()
  const settings = await aptSettings(['Acquire::http::Proxy', 'Acquire::https::Proxy', 'Acquire::Check-Valid-Until'])
  const options = settings.map((setting) => `--aptopt=${setting}`)
  if (suite === 'noble') {
    const main =
      sites.find((site) => /^https?:.*\/ubuntu$/.test(site) && !site.includes('security')) ?? 'http://archive.ubuntu.com/ubuntu'
    const security = sites.find((site) => /^https?:.*security.*\/ubuntu$/.test(site)) ?? 'http://security.ubuntu.com/ubuntu'
    const parts = 'main universe'
    const sources = [
      `deb ${main} ${suite} ${parts}`,
      `deb ${main} ${suite}-updates ${parts}`,
      `deb ${security} ${suite}-security ${parts}`,
    ]
    return { main, sources, options: [...options, sh`--keyring="$keyring"`], keys: ubuntuKeys(main) }
  }
  const main = sites.find((site) => /^https?:.*\/debian$/.test(site)) ?? 'http://deb.debian.org/debian'
  const security = sites.find((site) => /^https?:.*debian-security$/.test(site)) ?? 'http://deb.debian.org/debian-security'
  const sources = [`deb ${main} ${suite} main`, `deb ${main} ${suite}-updates main`, `deb ${security} ${suite}-security main`]
  return { main, sources, options, keys: sh`` }
}

// The package that noble was released with.
const ubuntuKeyring = 'pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb'
// Ubuntu Archive Automatic Signing Key (2018). Only this one is taken out of what the mirror gives.
const ubuntuKey = 'F6ECB3762474EDA9D21B7022871920D1991BC93C'

// Debian has no package with the keys of Ubuntu.
function ubuntuKeys(main: string): Sh {
  return sh`
    keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
    if [ ! -e "$keyring" ]; then
      own=$(mktemp -d)
      trap 'rm -rf "$own"' EXIT
      chmod 711 "$own"
      /usr/lib/apt/apt-helper -qq download-file ${`${main}/${ubuntuKeyring}`} "$own/keyring.deb" >&2
      dpkg-deb -x "$own/keyring.deb" "$own/keyring"
      gpg -q --homedir "$own" --import "$own/keyring/usr/share/keyrings/ubuntu-archive-keyring.gpg"
      gpg -q --homedir "$own" --export ${ubuntuKey} >"$own/key.gpg"
      [ -s "$own/key.gpg" ] || ${explain(
        `${main} has other keys than Ubuntu's own; nothing was taken from there`,
        'Have apt of this machine go to a mirror of Ubuntu, or take --image bookworm',
      )}
      chmod -R a+rX "$own"
      keyring=$own/key.gpg
    fi`
}

/** What to say where an image can't be built: of a mirror that does not answer in its own words, else as it is. */
export function mirrorFailure(error: unknown, title: string, mirror: string): unknown {
  if (!isKraftError(error) || error.failure.kind !== 'command') return error
  const { output } = error.failure
  if (
    !/Could not (resolve|connect)|Temporary failure|Connection (refused|timed out|failed)|Unable to connect|Cannot initiate/i.test(
      output,
    )
  ) {
    return error
  }
  return new KraftError({
    kind: 'task',
    message: `${title} can't be fetched: its mirror ${mirror} does not answer`,
    output,
    next: 'Take a release whose mirror this machine reaches, for example: --image bookworm; where there is a proxy, set http_proxy.',
  })
}
