import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { pack } from '../../../engine/transfer/pack.js'

it('an archive of nothing is one that tar takes, and needs no folder', async () => {
  const { stream, done } = pack('/does/not/exist', [])
  const tar = spawn('tar', ['-tf', '-'])
  stream.pipe(tar.stdin)
  const [listed, complaint, code] = await Promise.all([
    text(tar.stdout),
    text(tar.stderr),
    new Promise((resolve) => tar.once('close', resolve)),
  ])
  await done
  expect([listed, complaint, code]).toEqual(['', '', 0])
})
