import { Gate } from './gate.js'

/** What only a person can answer while kraft connects. `compare` is answered with a boolean, `secret` with a string. */
export type Question =
  | { readonly kind: 'compare'; readonly message: string }
  | { readonly kind: 'secret'; readonly message: string }

/** Puts a question to a person. There is none where no terminal is. */
export type Ask = (question: Question) => Promise<string | boolean>

const terminal = new Gate(1)

/** Gives `body` the terminal for itself, so that nodes that connect at once ask one after the other. */
export function alone<T>(body: () => Promise<T>): Promise<T> {
  return terminal.through(body)
}
