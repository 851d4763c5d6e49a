/**
 * Lets kraft go on where nobody reads any more what it prints: `| head` has what it wants, and a deploy must not die of that half-way.
 * What cannot be written to a file, because its disk is full, makes kraft end with code 1.
 */
export function outliveReaders({ stdout, stderr } = process): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The last is said of a terminal that was closed.
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET' || (error.code === 'EIO' && stdout.isTTY)) return
    process.exitCode = 1
    stderr.write(`error: what kraft prints could not be written: ${error.message}\n`)
  })
  stderr.on('error', () => undefined)
}
