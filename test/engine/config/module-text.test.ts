import { describe, expect, it } from 'vitest'
import { moduleText } from '../../../engine/config/module-text.js'

describe('doc comments', () => {
  it('belong to the export that follows, also behind other comments', () => {
    const { docs } = moduleText(`
/** What this file is. */
import { task } from 'kraftwerk'
/** First. */ // kraft first
export const first = task({})
/**
 * Second,
 * on two lines.
 *
 * @example kraft second
 */
/* plain */
export async function second() {}
/* not a doc */ export const third = 1
/** Stray. */
const other = 2
export const fourth = other
/** Class. */ export abstract class Fifth {}
`)
    expect(docs).toEqual({ first: 'First.', second: 'Second,\non two lines.', Fifth: 'Class.' })
  })

  it('of a name that is exported later count', () => {
    const text = moduleText(
      '/** Local. */\nconst local = 1\nconst plain = 2\nexport { local as renamed, plain,\n /** Here. */ local as again }\n',
    )
    expect(text.docs).toEqual({ renamed: 'Local.', again: 'Here.' })
    expect(text.declared.renamed).toBe('/** Local. */\nconst '.length)
  })

  it('inside strings, templates, regular expressions and bodies are not read', () => {
    const { docs } = moduleText(
      [
        'const a = "/** no */ export const a1 = 1"',
        "const b = '/** no */'",
        'const c = `/** no */ ${ `${ "}" }` } export const c1 = ${ { x: 1 }.x } /** no */`',
        'const d = /[/*"`]\\/** no *\\/ export/g',
        'const e = 4 / 2 / 1 // /** no */',
        'function f() { /** no */ const f1 = 1; return /"`/.test(a) }',
        '/** Yes. */',
        'export const g = a',
      ].join('\n'),
    )
    expect(docs).toEqual({ g: 'Yes.' })
  })

  it('survive text that ends in the middle', () => {
    for (const text of [
      'export const a = `x${',
      '/** open',
      'const a = "',
      'const r = /x',
      '}}}) export const a = 1',
      '#!/usr/bin/env node\n/** A. */ export const a = 1',
    ]) {
      expect(() => moduleText(text)).not.toThrow()
    }
    expect(moduleText('#!/usr/bin/env node\n/** A. */ export const a = 1').docs).toEqual({ a: 'A.' })
  })
})

it('imports of every form are found, others are not', () => {
  const text = moduleText(`
import './effect'
import def from "./def"
import * as all from './all.js'
import type { T } from './type'
import { a, b as c } from './named'
export * from './star'
export * as space from './space'
export { x, y as z } from './passed'
const later = () => import('./later')
const old = require('./old')
const no = { import: './no', require: 1 }
a.require('./no')
export { later }
const last = './no'
`)
  expect(text.imports.map(({ specifier }) => specifier)).toEqual([
    './effect',
    './def',
    './all.js',
    './type',
    './named',
    './star',
    './space',
    './passed',
    './later',
    './old',
  ])
  expect(text.stars).toEqual(['./star'])
  expect(text.passedOn).toEqual({ x: ['./passed', 'x'], z: ['./passed', 'y'] })
})
