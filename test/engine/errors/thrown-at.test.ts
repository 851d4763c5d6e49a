import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runningRoot } from '../../../engine/config/own-copy.js'
import { thrownAt } from '../../../engine/errors/thrown-at.js'

const withStack = (...frames: readonly string[]) =>
  Object.assign(new Error('no'), { stack: ['Error: no', ...frames.map((frame) => `    at ${frame}`)].join('\n') })

it.each([
  ['run (/srv/shop/kraftfile.ts:4:9)', '/srv/shop/kraftfile.ts'],
  ['async run (/srv/my shop (old)/kraftfile.ts:4:9)', '/srv/my shop (old)/kraftfile.ts'],
  ['/srv/my shop (old)/kraftfile.ts:4:9', '/srv/my shop (old)/kraftfile.ts'],
  ['async /srv/my shop/kraftfile.ts:4:9', '/srv/my shop/kraftfile.ts'],
  ['Object.run [as go] (file:///srv/my%20sh%C3%B6p/b.mjs:4:9)', '/srv/my shöp/b.mjs'],
])('the place of "%s" is found in it', (frame, file) => {
  expect(thrownAt(withStack(frame))).toEqual({ file, line: 4, column: 9 })
})

it('is the topmost frame that is neither of Node.js, of a package nor of kraft', () => {
  const frames = [
    'node:internal/process/task_queues:95:5',
    'new Promise (<anonymous>)',
    'eval (eval at load (/srv/shop/made.ts:1:1), <anonymous>:1:7)',
    '/srv/shop/node_modules/zx/build/core.js:2:2',
    `run (${join(runningRoot, 'engine/task/run.ts')}:1:1)`,
    `async ${join(runningRoot, 'kraft.js')}:44:14`,
  ]
  expect(thrownAt(withStack(...frames))).toBeUndefined()
  expect(thrownAt(withStack(...frames, 'build (/srv/shop/lib/build.ts:3:1)'))).toMatchObject({ file: '/srv/shop/lib/build.ts' })
  expect(thrownAt('text')).toBeUndefined()
})
