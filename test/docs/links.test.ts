import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Committed files, and those about to be: a link to what git ignores works for its author alone. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter(Boolean)
const folders = new Set(files.flatMap(foldersAbove))
const pages = files.filter((file) => file.endsWith('.md'))

function foldersAbove(file: string): string[] {
  const parts = file.split('/').slice(0, -1)
  return ['.', ...parts.map((_, index) => parts.slice(0, index + 1).join('/'))]
}

/** A page without its fenced code, where `#` begins a comment and brackets are code. */
function prose(page: string): string {
  return readFileSync(join(root, page), 'utf8').replace(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '')
}

/** The anchors that GitHub gives to the headings of a page: a second heading of the same words ends with `-1`. */
function anchors(text: string): string[] {
  const seen = new Map<string, number>()
  return [...text.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
}

/** Where the links of a page lead, without those that leave the repository. */
function links(text: string): string[] {
  return [...text.replace(/`[^`\n]*`/g, 'code').matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)/g)]
    .map(([, to = '']) => to)
    .filter((to) => !/^[a-z][a-z+.-]*:/i.test(to))
}

function leadsTo(page: string, link: string): string {
  const path = link.replace(/#.*/, '')
  return path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path))).replace(/\/$/, '')
}

function broken(page: string, link: string): string | undefined {
  const to = leadsTo(page, link)
  const anchor = link.split('#')[1]
  if (!files.includes(to) && !folders.has(to)) return `${page}: ${link} leads to no file`
  if (anchor === undefined || !to.endsWith('.md')) return
  return anchors(prose(to)).includes(anchor) ? undefined : `${page}: ${to} has no heading for #${anchor}`
}

describe('links of the pages', () => {
  test.each(pages)('%s: each leads to a file and a heading that are there', (page) => {
    expect(links(prose(page)).flatMap((link) => broken(page, link) ?? [])).toEqual([])
  })

  test.each(pages)('%s: each row of a table has a heading above', (page) => {
    const rows = prose(page).split('\n')
    const stray = rows.filter(
      (row, at) => /^\|/.test(row) && !/^\|/.test(rows[at - 1] ?? '') && !/^\|[\s:|-]+$/.test(rows[at + 1] ?? ''),
    )
    expect(stray).toEqual([])
  })

  test('docs/README.md names every page of docs/', () => {
    const named = links(prose('docs/README.md')).map((link) => leadsTo('docs/README.md', link))
    const others = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
    expect(others.filter((page) => !named.includes(page))).toEqual([])
  })

  test('anchors are those that GitHub makes', () => {
    const text =
      '# On a node of its own\n## `kraft dev`: the site\n## What it says, and `why`\n### [Backups](backup.md)\n## Ärger & co_2\n# On a node of its own\n'
    const made = [
      'on-a-node-of-its-own',
      'kraft-dev-the-site',
      'what-it-says-and-why',
      'backups',
      'ärger--co_2',
      'on-a-node-of-its-own-1',
    ]
    expect(anchors(text)).toEqual(made)
  })

  test('a link to nothing and an anchor of no heading are found', () => {
    expect(broken('README.md', 'docs/nothing.md')).toBe('README.md: docs/nothing.md leads to no file')
    expect(broken('README.md', 'docs/ssh.md#nothing')).toBe('README.md: docs/ssh.md has no heading for #nothing')
    expect(broken('docs/ssh.md', '../examples/')).toBeUndefined()
    expect(broken('README.md', 'docs/ssh.md#host-keys')).toBeUndefined()
  })
})
