import { KraftError } from '../errors/failure.js'
import type { Report } from '../report/report.js'
import { register } from '../shell/redact.js'
import type { Prompt } from '../task/session.js'

type Clack = typeof import('@clack/prompts')

/**
 * Questions on the terminal, drawn on stderr beside no list, one after the other; undefined where there is nobody to ask. At `signal`
 * nobody waits for an answer any more.
 */
export function createPrompt(yes: boolean, report: Report, signal: AbortSignal): Prompt | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY || process.env.CI !== undefined) return undefined
  let last: Promise<unknown> = Promise.resolve()
  const ask = async <Answer>(question: (clack: Clack) => Promise<Answer>): Promise<Exclude<Answer, symbol>> => {
    const clack = await import('@clack/prompts')
    const turn = last.then(() => report.aside(() => question(clack)))
    last = turn.catch(() => undefined)
    const answer = await turn
    if (typeof answer === 'symbol')
      throw new KraftError({ kind: 'interrupted', message: 'Stopped at a question; nothing was changed' })
    return answer as Exclude<Answer, symbol>
  }
  const output = process.stderr
  const decide = (message: string) => ask((clack) => clack.confirm({ message, initialValue: false, output, signal }))
  return {
    confirm: async (message) => yes || decide(message),
    compare: decide,
    text: (message) => ask((clack) => clack.text({ message, output, signal })).then((answer) => answer ?? ''),
    async secret(message) {
      const answer = (await ask((clack) => clack.password({ message, output, signal }))) ?? ''
      register(answer)
      return answer
    },
  }
}
