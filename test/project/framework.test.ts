import { expect, it } from 'vitest'
import { type Candidate, defineFramework, detectFramework } from '../../project/framework.js'

const project: Candidate = { folder: '/srv/shop', requires: new Set(['bottle']), read: () => undefined }
const make = (name: string, detects: boolean, fallback = false) =>
  defineFramework({ name, doc: name, fallback, detect: () => detects, environ: () => ({}), skeleton: name })

it('the first framework by name that recognises the project is taken, whatever their order', () => {
  expect(detectFramework([make('b', true), make('c', true), make('a', false)], project).name).toBe('b')
})

it('a fallback is asked last', () => {
  expect(detectFramework([make('a', true, true), make('z', true)], project).name).toBe('z')
  expect(detectFramework([make('a', true, true), make('z', false)], project).name).toBe('a')
})

it('without a fallback it says that nothing fits', () => {
  expect(() => detectFramework([make('a', false)], project)).toThrow('No framework of kraft recognises the project in /srv/shop')
})
