import { KraftError } from '../errors/failure.js'
import { isCI } from '../report/abilities.js'
import type { Report } from '../report/report.js'
import { register } from '../shell/redact.js'
import type { Prompt } from '../task/session.js'

type Clack = typeof import('@clack/prompts')

/**
 * Questions on the terminal, drawn on stderr beside no list, one after the other; undefined where there is nobody to ask. At `signal`
 * nobody waits for an answer any more.
 */
export function createPrompt(yes: boolean, report: Report, signal: AbortSignal): Prompt | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY || isCI()) return undefined
  let last: Promise<unknown> = Promise.resolve()
  const ask = async <Answer>(
    question: (clack: Clack) => Promise<Answer>,
    stopped = 'nothing was changed',
  ): Promise<Exclude<Answer, symbol>> => {
    const clack = await import('@clack/prompts')
    // Ctrl-D ends the input, and would leave a question that nobody can answer any more.
    clack.updateSettings({ aliases: { '\x04': 'cancel' } })
    const turn = last.then(() => report.aside(() => question(clack)))
    last = turn.catch(() => undefined)
    const answer = await turn
    if (typeof answer === 'symbol') throw new KraftError({ kind: 'interrupted', message: `Stopped at a question; ${stopped}` })
    return answer as Exclude<Answer, symbol>
  }
  const output = process.stderr
  const decide = async (message: string, stopped?: string): Promise<boolean> => {
    for (;;) {
      let typed = ''
      const listen = (text: string | undefined) => {
        typed += text ?? ''
      }
      process.stdin.on('keypress', listen)
      const answer = await ask((clack) => clack.confirm({ message, initialValue: false, output, signal }), stopped).finally(() =>
        process.stdin.off('keypress', listen),
      )
      // A y counts at once, also the one in "maybe"; h, j, k and l move.
      if (!answer || !/[a-gimn-xz]/i.test(typed)) return answer
      report.note('y or n?')
    }
  }
  return {
    confirm: async (message, stopped) => yes || decide(message, stopped),
    compare: decide,
    text: (message) => ask((clack) => clack.text({ message, output, signal })).then((answer) => answer ?? ''),
    async secret(message, stopped) {
      const answer = (await ask((clack) => clack.password({ message, output, signal }), stopped)) ?? ''
      register(answer)
      return answer
    },
  }
}
