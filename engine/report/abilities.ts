/** A stream of this process, as far as it matters whether a terminal stands behind it. */
type Stream = Pick<NodeJS.WriteStream, 'isTTY'>

/** Whether what is drawn on a stream can be drawn over: a terminal, but no dumb one (Emacs' shell, some CI). */
export function movesCursor({ isTTY }: Stream): boolean {
  return isTTY === true && process.env.TERM !== 'dumb'
}

/** Whether a stream shows colours: such a terminal, unless NO_COLOR says something. */
export function hasColors(stream: Stream): boolean {
  return movesCursor(stream) && (process.env.NO_COLOR ?? '') === ''
}

/** Whether this is a job of CI, where nobody sits at the terminal that there may be: `CI` is set, and to anything but `false`. */
export function isCI({ CI = '' }: NodeJS.ProcessEnv = process.env): boolean {
  return CI !== '' && CI !== 'false'
}
