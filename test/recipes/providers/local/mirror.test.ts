import { expect, test } from 'vitest'
import { isKraftError, KraftError } from '../../../../engine/errors/failure.js'
import { mirrorFailure } from '../../../../recipes/providers/local/mirror.js'

const failed = (output: string) =>
  new KraftError({ kind: 'command', node: 'this machine', command: 'Build the noble image', code: 100, output })

test.each([
  "E: Failed to fetch http://archive.ubuntu.com/ubuntu/dists/noble/InRelease  Could not resolve 'archive.ubuntu.com'",
  'E: Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)',
  'W: Failed to fetch http://archive.ubuntu.com/  Unable to connect to archive.ubuntu.com:http:',
])('a mirror that does not answer is named, with what to do: %s', (output) => {
  const error = mirrorFailure(failed(output), 'Ubuntu noble', 'http://archive.ubuntu.com/ubuntu')
  expect(isKraftError(error) && error.failure).toMatchObject({
    kind: 'task',
    message: "Ubuntu noble can't be fetched: its mirror http://archive.ubuntu.com/ubuntu does not answer",
    output,
    next: expect.stringContaining('--image bookworm'),
  })
})

test('any other failure stays as it is', () => {
  const error = failed('E: dpkg returned an error code (1)')
  expect(mirrorFailure(error, 'Ubuntu noble', 'http://archive.ubuntu.com/ubuntu')).toBe(error)
  const other = new TypeError('x')
  expect(mirrorFailure(other, 'Ubuntu noble', 'http://archive.ubuntu.com/ubuntu')).toBe(other)
})
