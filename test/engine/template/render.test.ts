import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Failure, isKraftError, KraftError } from '../../../engine/errors/failure.js'
import { findTemplate, useTemplates } from '../../../engine/template/find.js'
import { render } from '../../../engine/template/render.js'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraft-render-'))
  useTemplates([join(folder, 'project'), join(folder, 'home')])
})
afterEach(() => {
  useTemplates([])
  rmSync(folder, { recursive: true, force: true })
})

function write(path: string, text: string): string {
  const file = join(folder, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  return file
}

function failure(call: () => unknown): Failure {
  try {
    call()
  } catch (error) {
    if (isKraftError(error) && error instanceof KraftError) return error.failure
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('findTemplate', () => {
  it("takes the project's before the user's before the package's, file by file", () => {
    expect(findTemplate('nginx/nginx.conf')).toMatch(/templates\/nginx\/nginx\.conf\.ejs$/)
    const home = write('home/nginx/nginx.conf', '')
    expect(findTemplate('nginx/nginx.conf')).toBe(home)
    const project = write('project/nginx/nginx.conf.ejs', '')
    expect(findTemplate('nginx/nginx.conf')).toBe(project)
  })

  it('names the nearest template and where it looked', () => {
    write('project/reports.conf', '')
    const failed = failure(() => findTemplate('report.conf'))
    expect(failed).toMatchObject({ kind: 'setting', message: expect.stringContaining('Did you mean "reports.conf"?') })
    expect(failed).toMatchObject({ next: expect.stringContaining(join(folder, 'project')) })
  })

  it('stays inside its folders', () => {
    write('secret', '')
    expect(() => findTemplate('../secret')).toThrow('there is no such template')
    expect(() => findTemplate(join(folder, 'secret'))).toThrow('there is no such template')
  })
})

describe('render', () => {
  it('includes other templates, overridden or not', () => {
    write('home/part.ejs', 'part of <%= who %>')
    write('project/whole.ejs', "<%- include('part') %>!")
    expect(render('whole', { who: 'all' })).toBe('part of all!')
  })

  it.each([
    ['an unknown name', 'a\nb\n<%= nope %>\n', 3, 'nope is not defined'],
    ['a value that is undefined', 'a\n<%= given.x %>\n', 2, 'the value is undefined'],
    ['wrong JavaScript', 'a\n\n\n<% const = 1 %>\nb\n', 4, "Unexpected token '='"],
    [
      'a brace that is not closed',
      'a\n<% if (given) { %>\nb',
      3,
      'missing ) after argument list|Unexpected token|Unexpected end of input',
    ],
    ['a tag that is not closed', 'a <%= given %>\n<% if (given) {\nb <% } %>\n', 2, 'Could not find matching close tag'],
    ['a last tag that is not closed', 'a\nb\n<%= given\n', 3, 'Could not find matching close tag'],
  ])('names file and line of %s', (_, text, line, message) => {
    const file = write('project/wrong.conf', text)
    const failed = failure(() => render('wrong.conf', { given: {} }))
    expect(failed).toMatchObject({
      kind: 'setting',
      place: { file, line },
      message: expect.stringMatching(new RegExp(message.replace(')', '\\)'))),
    })
    expect(summaryLines(failed)).toBe(1)
  })

  it.each([
    ['a variable', '<%= plcae.name %>', 'plcae is not defined. Did you mean "place"?', 'There are: place, layout'],
    [
      'a key that is printed',
      '<%= place.nmae %>',
      'the value is undefined: place has no "nmae". Did you mean "name"?',
      'There are: name, home',
    ],
    [
      'a function',
      '<%= layout.curent(place) %>',
      'layout.curent is not a function: layout has no "curent". Did you mean "current"?',
      'There are: current',
    ],
    ['a key of nothing near', '<%= place.x %>', 'the value is undefined: place has no "x"', 'There are: name, home'],
  ])('says what there is where a template misspells %s', (_, text, message, next) => {
    const file = write('project/own.conf', `\n${text}\n`)
    const vars = { place: { name: 'shop', home: '/web/shop' }, layout: { current: () => '/web/shop/current' } }
    expect(failure(() => render('own.conf', vars))).toEqual({ kind: 'setting', place: { file, line: 2 }, message, next })
  })

  it("names the command that explains the variables of kraft's own templates", () => {
    write('project/nginx/unclaimed.conf.ejs', '<%= lisen %>')
    expect(failure(() => render('nginx/unclaimed.conf', { listen: '80' }))).toMatchObject({
      message: 'lisen is not defined. Did you mean "listen"?',
      next: 'There are: listen. What each is: kraft templates show nginx/unclaimed.conf',
    })
  })

  it('names the included file where the mistake is there', () => {
    const file = write('project/part.ejs', '\n<%= nope %>')
    write('project/whole.ejs', "a\nb\n<%- include('part') %>")
    expect(failure(() => render('whole'))).toMatchObject({ place: { file, line: 2 }, message: 'nope is not defined' })
  })

  it('names the included file where that cannot be compiled', () => {
    const file = write('project/part.ejs', 'a\n<% const = 1 %>')
    write('project/whole.ejs', "<%- include('part') %>")
    expect(failure(() => render('whole'))).toMatchObject({ place: { file, line: 2 }, message: "Unexpected token '='" })
  })
})

function summaryLines(failed: Failure): number {
  return failed.kind === 'setting' ? failed.message.split('\n').length : 0
}
