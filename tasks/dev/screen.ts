import { Writable } from 'node:stream'
import { labels } from '../../engine/report/prefixed.js'

/** How many lines of a program are told again where others have written behind them. */
const told = 5

/** One stream that several programs share. */
export interface Screen {
  /** What stands before each line of a program. */
  label(name: string): string
  /** Takes lines of a program, whole and with its label. */
  writer(name: string): Writable
  /** A line of kraft's own. */
  say(text: string): void
  /** The same of a program that has ended, with its last lines unless they stand right above. */
  sayEnd(name: string, text: string): void
}

const own = 'kraft'

/** Makes a {@link Screen} of a stream. */
export function createScreen(names: readonly string[], out: Writable, colored: boolean): Screen {
  const all = [...names, own]
  const labelOf = new Map(labels(all, colored).map((label, index) => [all[index], label]))
  const label = (name: string) => labelOf.get(name) ?? `${name} | `
  const last = new Map<string, string>()
  let latest = ''
  const writer = (name: string) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        latest = name
        last.set(
          name,
          `${last.get(name) ?? ''}${chunk.toString()}`
            .split('\n')
            .slice(-1 - told)
            .join('\n'),
        )
        if (!out.writable) done()
        else out.write(chunk, () => done())
      },
    })
  const say = (text: string) => {
    if (out.writable) out.write(`${label(own)}${text}\n`)
  }
  return {
    label,
    writer,
    say,
    sayEnd: (name, text) => {
      const lines = latest === name ? '' : (last.get(name) ?? '')
      last.delete(name)
      say(lines === '' ? text : `${text}. It said last:`)
      if (lines !== '' && out.writable) out.write(lines)
    },
  }
}
