/**
 * What somebody may have meant by a value that is refused: the first of its near forms that is taken. Quotes that lack or are too many, a
 * list for one thing, an address for a name…
 *
 * @example meant('https://www.example.com/', undefined, isDomain) // { value: 'www.example.com' }
 */
export function meant(
  given: unknown,
  written: string | undefined,
  takes: (value: unknown) => boolean,
): { readonly value: unknown } | undefined {
  for (const value of forms(given, written)) if (takes(value)) return { value }
  return undefined
}

function* forms(given: unknown, written: string | undefined): Generator<unknown> {
  // YAML has made 3.1 of 3.10.
  if (typeof given === 'number' || typeof given === 'boolean') yield written ?? String(given)
  if (typeof given === 'string') yield* formsOfText(given)
  else if (Array.isArray(given)) yield* formsOfList(given)
  else if (typeof given === 'object' && given !== null) yield* formsOfMap(Object.entries(given))
  if (typeof given !== 'string' && !Array.isArray(given) && given !== null && given !== undefined) yield [given]
}

const seconds: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
}

function* formsOfText(text: string): Generator<unknown> {
  const word = text.trim()
  yield word
  if (/^[+-]?\d+(\.\d+)?$/.test(word)) yield Number(word)
  if (/^(true|yes|on|y)$/i.test(word)) yield true
  if (/^(false|no|off|n|none|never)$/i.test(word)) yield false
  const [, amount = '', unit = ''] = /^(\d+)\s*([a-z]+?)s?$/i.exec(word) ?? []
  const length = seconds[unit.toLowerCase() === '' ? 's' : unit.toLowerCase()]
  if (amount !== '' && length !== undefined) yield Number(amount) * length
  yield word.replace(/(?<![=<>!~])=(?!=)/, '==')
  // An address for a host, a host for a name.
  const host = word.replace(/^[a-z][a-z+.-]*:\/\//i, '').replace(/[/?#:].*$/, '')
  if (/^[\w.-]+$/.test(host)) {
    yield host
    yield host.toLowerCase()
    yield host.toLowerCase().replaceAll('_', '-')
  }
  if (/^[\w./-]+$/.test(word)) {
    const path = word.replaceAll(/^\/+|\/+$/g, '')
    yield `/${path}`
    yield `/${path}/`
    yield path
  }
  // A file of Python for its module.
  const [, file, rest = ''] = /^(?:\.\/)?([\w./]+?)(?:\.py)?(:\w+)?$/.exec(word) ?? []
  if (file !== undefined) for (const callable of [rest, ':application']) yield `${file.replaceAll('/', '.')}${callable}`
  if (/^-\S/.test(word)) yield word.split(/\s*-(?=\S)/).filter((each) => each !== '')
  yield word.split(/[\s,]+/).filter((each) => each !== '')
  yield [word]
}

function* formsOfList(list: readonly unknown[]): Generator<unknown> {
  if (list.length === 1) yield list[0]
  if (list.every((each) => typeof each === 'string')) {
    yield list.map((each) => each.replace(/[\s,]+$/, ''))
    // As other tools write variables.
    const pairs = list.map((each) => each.split(/=(.*)/s))
    if (pairs.every(([, value]) => value !== undefined)) yield Object.fromEntries(pairs.map(([key = '', value]) => [key, value]))
    yield Object.fromEntries(list.map((each) => [each, {}]))
  }
  if (list.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each))) yield Object.assign({}, ...list)
}

function* formsOfMap(entries: readonly (readonly [string, unknown])[]): Generator<unknown> {
  yield entries.map(([key, value]) => (value === null || isEmpty(value) ? key : { [key]: value }))
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
