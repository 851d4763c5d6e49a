import { quote } from './sh.js'

/** What stands in the place of a secret. */
export const mask = '[secret]'

const known = new Set<string>()
let pattern: RegExp | undefined

// Below this a value is found everywhere by accident, and masking it would only spoil what is printed.
const shortest = 4

/**
 * Remembers a value, so that {@link redact} masks it in whatever is printed: as it is, by its lines (a private key), and in the forms
 * that kraft gives to values (quoted for a shell, in JSON, URL-encoded, base64). Values of fewer than 4 characters are passed over.
 */
export function register(value: string): void {
  const lines = value.split('\n').map((line) => line.trim())
  // Output comes line by line. Of a whole file that holds a secret, lines of prose or settings are none of it.
  for (const part of [value.trim(), ...lines.filter((line) => /^\S{16,}$/.test(line) && !line.startsWith('-----'))]) {
    if (part.length < shortest || known.has(part)) continue
    for (const form of forms(part)) known.add(form)
    pattern = undefined
  }
}

/**
 * Text without the values that were registered.
 *
 * @example register('hunter22'); redact('the password is hunter22') // 'the password is [secret]'
 */
export function redact(text: string): string {
  if (known.size === 0) return text
  // Longest first: a secret that holds another is masked whole.
  pattern ??= new RegExp(
    [...known]
      .sort((a, b) => b.length - a.length)
      .map(literal)
      .join('|'),
    'g',
  )
  return text.replace(pattern, mask)
}

/** The same for every text inside of plain data. */
export function redactData(data: unknown): unknown {
  if (typeof data === 'string') return redact(data)
  if (typeof data !== 'object' || data === null || known.size === 0) return data
  const plain: unknown = JSON.parse(JSON.stringify(data), (_, value: unknown) =>
    typeof value === 'string' ? redact(value) : value,
  )
  return plain
}

function forms(value: string): readonly string[] {
  const inJson = JSON.stringify(value).slice(1, -1)
  return [
    value,
    inJson,
    quote(value),
    quote(value).replace(/^'(.*)'$/s, '$1'),
    encodeURIComponent(value),
    ...base64Forms(value),
  ].filter((form) => form.length >= shortest)
}

// Inside of longer text base64 has three shapes, by the place where the value begins; its first and last letters are mixed.
function base64Forms(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  const whole = bytes.toString('base64').replace(/=+$/, '')
  if (bytes.length < 8) return [whole]
  const inside = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const end = Math.floor(((before + bytes.length) * 8) / 6)
    return text.slice(Math.ceil((before * 8) / 6), end)
  })
  const all = [whole, ...inside]
  return [...all, ...all.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))]
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
