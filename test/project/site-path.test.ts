import { expect, it } from 'vitest'
import { bySpecificity, sitePathPattern, sitePathProblem } from '../../project/site-path.js'

it.each([
  ['/', ['/', '/a', '/a/b'], []],
  ['/blog', ['/blog', '/blog/', '/blog/a'], ['/blogs', '/a/blog', '/']],
  ['/blog/', ['/blog/', '/blog/a/b'], ['/blog', '/blogs/']],
  ['/blog/*.html', ['/blog/a.html'], ['/blog/a/b.html', '/blog/axhtml', '/blog/a.html/c']],
  ['/blog/**.html', ['/blog/a.html', '/blog/a/b.html'], ['/blog/a.css']],
  ['/*/feed.xml', ['/a/feed.xml'], ['/a/b/feed.xml', '/feed.xml', '/a/feedxml']],
  ['/c++/', ['/c++/a'], ['/ccc/a']],
  ['/größe', ['/größe'], ['/grosse']],
])('%s means what it says', (path, within, outside) => {
  const pattern = new RegExp(sitePathPattern(path))
  expect(within.filter((each) => !pattern.test(each))).toEqual([])
  expect(outside.filter((each) => pattern.test(each))).toEqual([])
  expect(sitePathProblem(path)).toBeUndefined()
})

it.each(['blog', '', '*', '/a b', '/a"b', '/a;', '/a{1}', '/$uri', '/a\\b', '/a\n', '/a?b', '/a#', '/(a)', '/a|b', '/%20'])(
  '%j can be no path of a rule',
  (path) => expect(sitePathProblem(path)).toContain('a path on the site'),
)

it('the longer path comes first, and the order is the same each time', () => {
  expect(['/', '/b/', '/a/', '/a/b/*'].sort(bySpecificity)).toEqual(['/a/b/*', '/a/', '/b/', '/'])
})
