import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import type { Prompt } from '../engine/task/session.js'
import type { Variables } from '../project/assignments.js'
import { readDotenv } from '../project/dotenv.js'
import { valueProblem, variableProblem } from '../project/variable-name.js'
import { registerVariables } from './kept-environ.js'

/** What values are read from. */
export interface Sources {
  readonly fromStdin: boolean
  readonly prompt: Prompt | undefined
  /** All of standard input. */
  stdin(): Promise<Buffer>
}

/**
 * The variables that `env set` was given: `A=1`, `A=-` (all of stdin but a last line break), `A` (asked for without showing it), and with
 * `--from-stdin` lines as in a `.env` file.
 *
 * @throws KraftError `usage` for a name or value that can't be one; it repeats no value.
 */
export async function givenVariables(words: readonly string[], sources: Sources): Promise<Variables> {
  const given = new Map<string, Buffer>()
  const named = words.map((word) => {
    const at = word.indexOf('=')
    return at < 0 ? { name: word, typed: undefined } : { name: word.slice(0, at), typed: word.slice(at + 1) }
  })
  for (const { name, typed } of named) {
    refuseName(name)
    if (typed !== undefined) given.set(name, Buffer.from(typed))
  }
  registerVariables(given)
  const readers = named.filter(({ typed }) => typed === '-')
  if (readers.length + Number(sources.fromStdin) > 1) {
    throw usage('Only one thing can come from stdin', 'Give the others as NAME, and they are asked for')
  }
  if (sources.fromStdin) for (const [name, value] of readDotenv(await sources.stdin())) given.set(name, value)
  for (const { name, typed } of named) {
    if (typed === '-') given.set(name, withoutLineBreak(await sources.stdin()))
    else if (typed === undefined) given.set(name, Buffer.from(await ask(name, sources.prompt)))
  }
  registerVariables(given)
  if (given.size === 0) throw usage('Say what to set', 'For example: kraft env:stage set API_KEY')
  for (const [name, value] of given) {
    refuseName(name)
    const problem = valueProblem(value)
    if (problem !== undefined) throw usage(`${name} ${problem}`, 'Keep what is larger in a file, and its path here')
  }
  return given
}

/** The names that `env unset` was given. Throws `usage` for one that is not set anywhere. */
export function givenNames(words: readonly string[], known: readonly string[]): readonly string[] {
  if (words.length === 0) throw usage('Say what to unset', known.length === 0 ? 'Nothing is set' : `Set are ${known.join(', ')}`)
  for (const word of words) {
    if (known.includes(word)) continue
    const name = word.replace(/=.*/s, '=…')
    throw usage(
      `${name} is not set on the node.${didYouMean(word, known)}`,
      known.length === 0 ? 'Nothing is; kraft env:TARGET lists where variables come from' : `Set are ${known.join(', ')}`,
    )
  }
  return [...new Set(words)]
}

function refuseName(name: string): void {
  const problem = variableProblem(name)
  if (problem === undefined) return
  throw usage(`"${name}" ${problem}`, 'Take another name')
}

async function ask(name: string, prompt: Prompt | undefined): Promise<string> {
  if (prompt !== undefined) return prompt.secret(name)
  throw usage(`There is no terminal to ask for ${name} on`, `Pipe it in: kraft env:TARGET set ${name}=- < FILE`)
}

// echo and editors put one there that nobody means.
function withoutLineBreak(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes
}

function usage(message: string, next: string): KraftError {
  return new KraftError({ kind: 'usage', message, next })
}
