import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseHeader, type TemplateHeader } from '../../engine/template/header.js'

/** Scripts have no types of their own. */
interface Script {
  headerProblems(
    templates: readonly { readonly name: string; readonly file: string; readonly header: TemplateHeader | undefined }[],
    root: string,
  ): readonly string[]
}
const script: string = new URL('../../scripts/templates/check.mjs', import.meta.url).href

let root = ''
let problems: readonly string[] = []

const templates = {
  'site.conf': `<%#
A site.
@to /etc/site.conf
@mode 0644
@param {Place} place - The instance.
@param {string} port - Of the site.
@param {string} [domain] - Of the site.
@param {boolean} gone - Nobody gives it.
-%>
<%- include('part.conf.ejs', { indent: '  ' }) -%>
`,
  'part.conf': '<%#\nA part.\n@partOf other.conf\n-%>\n<%- indent %>\n',
  'nobody.conf': '<%#\nNobody renders it.\n-%>\n',
  'bare.conf': 'no header\n',
}

// A package of the same shape with one mistake of each kind.
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kraft-headers-'))
  const files = {
    'tsconfig.json': JSON.stringify({
      compilerOptions: { strict: true, module: 'nodenext', target: 'es2022', types: [] },
      files: [],
    }),
    'project/service.ts': 'export interface Place { readonly name: string }\n',
    'recipes/template.ts':
      'export function template(name: string, options: { to: string; mode?: string; vars: object }) { return [name, options] }\n',
    'recipes/site.ts': `import type { Place } from '../project/service.js'
import { template } from './template.js'
export const site = (place: Place) => [
  template('site.conf', { to: '/etc/sites/site.conf', mode: '0600', vars: { place, port: 80, domain: 'a' } }),
  template('site.conf', { to: '/etc/site.conf', vars: { place, port: '80', secret: true } }),
  template('bare.conf', { to: '/etc/bare.conf', vars: {} }),
]\n`,
  }
  const given = Object.entries(templates).map(([name, text]) => ({ name, file: join(root, `templates/${name}.ejs`), text }))
  for (const { file, text } of [...Object.entries(files).map(([path, text]) => ({ file: join(root, path), text })), ...given]) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const { headerProblems }: Script = await import(script)
  problems = headerProblems(
    given.map(({ name, file, text }) => ({ name, file, header: parseHeader(text) })),
    root,
  )
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('the check of templates', () => {
  it.each([
    ['a template without a header', 'templates/bare.conf.ejs has no header'],
    ['one that nobody renders', 'templates/nobody.conf.ejs is rendered by nobody'],
    [
      'a variable that the header does not name',
      'templates/site.conf.ejs: says nothing of secret, which recipes/site.ts:5 gives',
    ],
    ['a variable that is not given', 'templates/site.conf.ejs: recipes/site.ts:4 gives no gone: write [gone], or take it out'],
    ['a wrong type', 'templates/site.conf.ejs: port is said to be string, and recipes/site.ts:4 gives number'],
    ['a wrong mode', 'templates/site.conf.ejs: the mode is 0600 in recipes/site.ts:4, and 0644 here'],
    ['a wrong path', 'templates/site.conf.ejs: recipes/site.ts:4 puts it at …/etc/sites/site.conf, not at /etc/site.conf'],
    [
      'a part whose header does not name the whole',
      'templates/site.conf.ejs: includes part.conf, whose header does not name it under @partOf',
    ],
    ['a variable that a part is given', 'templates/site.conf.ejs: gives indent to part.conf, whose header says nothing of it'],
  ])('finds %s', (_, expected) => {
    expect(problems).toContain(expected)
  })

  it('leaves alone what is as the code gives it, and what is not given always', () => {
    expect(problems.filter((each) => /place|domain/.test(each))).toEqual([])
  })
})
