import { KraftError } from '../errors/failure.js'
import type { Prompt } from '../task/session.js'

type Clack = typeof import('@clack/prompts')

/** Questions on the terminal, drawn on stderr; undefined where there is nobody to ask. */
export function createPrompt(yes: boolean): Prompt | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY || process.env.CI !== undefined) return undefined
  const ask = async <Answer>(question: (clack: Clack) => Promise<Answer>): Promise<Exclude<Answer, symbol>> => {
    const answer = await question(await import('@clack/prompts'))
    if (typeof answer === 'symbol')
      throw new KraftError({ kind: 'interrupted', message: 'Stopped at a question; nothing was changed' })
    return answer as Exclude<Answer, symbol>
  }
  const output = process.stderr
  return {
    confirm: async (message) => yes || ask((clack) => clack.confirm({ message, initialValue: false, output })),
    text: (message) => ask((clack) => clack.text({ message, output })).then((answer) => answer ?? ''),
    secret: (message) => ask((clack) => clack.password({ message, output })).then((answer) => answer ?? ''),
  }
}
