import { isSecret, type Secret } from './secret.js'

type Quote = (word: string) => string

/** The values of a command with each secret in it replaced by a variable of the shell. */
export interface Slots {
  readonly words: readonly unknown[]
  /** By the name of the variable that stands for it. */
  readonly secrets: ReadonlyMap<string, Secret>
  /** Quotes words, and leaves the variables to the shell. */
  readonly quote: Quote
}

/**
 * Takes secrets out of a command's values: on a command line everybody on the node could read them in `ps`.
 *
 * @example slots([secret('x', 'TOKEN')], quote).quote(…) // "$SECRET_TOKEN", with its quotes
 */
export function slots(values: readonly unknown[], quote: Quote): Slots {
  const secrets = new Map<string, Secret>()
  const variables = new Map<string, string>()
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace)
    if (!isSecret(value)) return value
    const name = nameFor(value, secrets)
    secrets.set(name, value)
    // No other value can be this: a NUL byte fits into no word of a shell.
    const mark = `\0${name}`
    variables.set(mark, `"$${name}"`)
    return mark
  }
  return { words: values.map(replace), secrets, quote: (word) => variables.get(word) ?? quote(word) }
}

function nameFor({ name }: Secret, taken: ReadonlyMap<string, Secret>): string {
  const plain = `SECRET_${name.toUpperCase().replaceAll(/\W/g, '_')}`
  return taken.has(plain) ? `${plain}_${taken.size + 1}` : plain
}
