import { StringDecoder } from 'node:string_decoder'

/** Puts chunks of a stream together to whole lines: a chunk may end in the middle of a word, a secret or a letter. */
export class WholeLines {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  constructor(private readonly say: (line: string) => void) {}

  /** Says the lines that a chunk completes. */
  push(chunk: string | Uint8Array): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(Buffer.from(chunk))
    // Only what is new is searched: a line can be as long as memory.
    const [first = '', ...others] = text.split('\n')
    const lines = [this.#rest + first, ...others]
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.say(line)
  }

  /** Says what is left without a line break behind it. */
  end(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.say(rest)
  }
}
