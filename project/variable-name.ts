const ofShells = ['IFS', 'ENV', 'BASH_ENV', 'SHELLOPTS', 'BASHOPTS', 'PS4', 'PWD', 'OLDPWD', 'PPID', 'UID', 'EUID', 'OPTIND', '_']
const ofUser = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'VIRTUAL_ENV']

/**
 * Why a variable cannot be set on a node, as the end of a sentence; undefined for one that can. Root's shell reads these values
 * before it becomes the instance's user, and must not be steered by them.
 *
 * @example variableProblem('LD_PRELOAD') // 'is for the system's loader, …'
 */
export function variableProblem(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'is no name of a variable: letters, digits and _, and no digit first'
  if (/^KRAFT_/i.test(name)) return "begins with KRAFT_: those are kraft's own, and tell the application where it runs"
  if (/^LD_|^GLIBC_TUNABLES$|^GCONV_PATH$|^LOCPATH$/.test(name))
    return "is for the system's loader, which would heed it before kraft gives up root's rights"
  if (name === 'PATH') return 'is made by kraft: manage.py, the virtualenv, then the system'
  if (ofUser.includes(name)) return "is set by kraft at each start, to what is the instance's own"
  if (ofShells.includes(name) || name.startsWith('BASH_FUNC_')) return 'means something to the shell that reads it'
  return undefined
}

// Linux takes 128 KiB for a variable with its name, or starts no program at all.
const most = 120_000

/** Why a value cannot be a variable's, as the end of a sentence that begins with its name. */
export function valueProblem(value: Buffer): string | undefined {
  if (value.includes(0)) return 'holds a NUL byte, which no variable can'
  if (value.length > most) return `has ${value.length} bytes, and Linux takes about ${most} for one variable`
  return undefined
}
