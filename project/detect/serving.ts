/** What a command that serves a WSGI application says: `gunicorn -w 3 shop.wsgi`. */
export interface Serving {
  readonly program: 'gunicorn' | 'waitress-serve'
  /** As it stands there: `shop.wsgi`, `shop:create_app('live')`. */
  readonly app: string | undefined
  /** By their long names, in the order in which they stand; of those without a value it is ''. Variables before the program are `env`. */
  readonly options: readonly (readonly [name: string, value: string])[]
}

const letters: Readonly<Record<string, string>> = {
  b: 'bind',
  c: 'config',
  D: 'daemon',
  e: 'env',
  g: 'group',
  k: 'worker-class',
  m: 'umask',
  n: 'name',
  p: 'pid',
  R: 'enable-stdio-inheritance',
  t: 'timeout',
  u: 'user',
  w: 'workers',
}

/** Options of gunicorn and waitress-serve that take no value; behind any other the next word is one. */
const switches =
  /^(?:reload|spew|check-config|print-config|preload|no-[a-z-]+|reuse-port|daemon|initgroups|capture-output|log-syslog|enable-stdio-inheritance|disable-redirect-access-to-syslog|proxy-protocol|do-handshake-on-connect|suppress-ragged-eofs|strip-header-spaces|permit-[a-z-]+|casefold-http-method|call|expose-tracebacks|ipv[46]|log-untrusted-proxy-headers)$/

/**
 * Reads a line that starts gunicorn or waitress, also behind another program; undefined where it starts neither.
 *
 * @example readServing('gunicorn -w 3 shop.wsgi') // { program: 'gunicorn', app: 'shop.wsgi', options: [['workers', '3']] }
 */
export function readServing(command: string): Serving | undefined {
  const words = [...command.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  )
  const at = words.findIndex((word) => /(^|\/)(gunicorn|waitress-serve)$/.test(word))
  if (at === -1) return undefined
  const program = words[at]?.endsWith('gunicorn') === true ? 'gunicorn' : 'waitress-serve'
  const given = words.slice(at + 1)
  // What follows is another command, or where its output goes.
  const end = given.findIndex((word) => /^([&|;]+|\d?[<>].*)$/.test(word))
  const left = end === -1 ? given : given.slice(0, end)
  const assigned = words.slice(0, at).filter((word) => /^[A-Za-z_]\w*=/.test(word))
  const options = assigned.map((word): [string, string] => ['env', word])
  const others: string[] = []
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, long, letter = '', attached] = /^-(?:-([\w-]+)|([A-Za-z]))(?:=?(.+))?$/s.exec(word) ?? []
    const name = long ?? letters[letter] ?? letter
    if (name === '') others.push(word)
    else options.push([name, attached ?? (switches.test(name) ? '' : (left.shift() ?? ''))])
  }
  const [app] = others
  const isFactory = app !== undefined && options.some(([name]) => name === 'call')
  return { program, app: isFactory ? `${app}()` : app, options }
}
