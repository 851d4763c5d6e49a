/** What an instance may be called: the name becomes a Linux user, a database and a folder. */
const instanceName = /^[a-z][a-z0-9-]{0,25}$/

/** What an environment or a role may be called. */
export const word = /^[a-z][a-z0-9_-]{0,30}$/

// Users and groups of Debian and of the packages that kraft installs, folders of /web, and words of the command line.
const reserved = new Set(
  `adm all audio avahi backup bin bootstrap cdrom crontab current daemon dialout dip disk docker dump epmd fax floppy games git gnats
  id input irc kmem kraft kraftwerk kvm list local log lp mail man memcache messagebus mysql netdev news nginx nobody nogroup
  operator plugdev polkitd postgres proxy rabbitmq redis releases render root rsync runit-log sasl shadow shared shutdown solr src ssh
  ssl-cert sshd staff sudo sync sys syslog systemd-journal systemd-network systemd-resolve systemd-timesync tape tcpdump
  template0 template1 tty ubuntu admin debian uploads users utmp uucp uuidd venvs video voice web www-data`.split(/\s+/),
)

/**
 * Why a name can't be an instance's, or undefined where it can.
 *
 * @example instanceNameProblem('root') // 'a name of its own: "root" is taken on every node'
 */
export function instanceNameProblem(name: string): string | undefined {
  if (!instanceName.test(name)) return 'a small letter, then small letters, digits and hyphens, at most 26 in all'
  if (reserved.has(name) || /^systemd-|^postgres-|^_/.test(name)) return `a name of its own: "${name}" is taken on every node`
  // The instance shop has a second user, which is called shop-build.
  if (name.endsWith('-build')) return `an end other than -build: "${name}" is the user that builds for "${name.slice(0, -6)}"`
  return undefined
}

/** The name that a folder gives its project: `My_Site` becomes `my-site`. It may still not be a good one. */
export function nameOfFolder(folder: string): string {
  return folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 26)
}
