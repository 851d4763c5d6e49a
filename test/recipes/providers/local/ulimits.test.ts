import { expect, test } from 'vitest'
import { parseLimits } from '../../../../recipes/providers/local/ulimits.js'

test('a container gets no higher limits than this process has, and what is unlimited is left to the engine', () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                96365                processes
Max open files            1024                 20000                files
`
  expect(parseLimits(text)).toEqual(['--ulimit=nofile=1024:20000', '--ulimit=nproc=30000:30000'])
  expect(parseLimits('Max processes             unlimited            unlimited            processes\n')).toEqual([])
  expect(parseLimits('')).toEqual([])
})
