import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { measure, parseMeasures } from '../../../recipes/status/measures.js'

it('measures a machine: this one', () => {
  const { cpus, memory, disks, now, load } = parseMeasures(execFileSync('sh', ['-ec', measure().text], { encoding: 'utf8' }))
  expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(60)
  expect(cpus).toBeGreaterThan(0)
  expect(load.every((each) => each >= 0)).toBe(true)
  expect(memory.size).toBeGreaterThan(memory.available)
  expect(disks.find(({ path }) => path === '/')?.size).toBeGreaterThan(0)
})
