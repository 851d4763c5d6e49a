import { expect, it } from 'vitest'
import { browserCommands } from '../../tasks/browser.js'

const url = 'http://shop/?a=b'

it.each<[string, NodeJS.Platform, Record<string, string>, readonly (readonly string[])[]]>([
  ['BROWSER before all else', 'darwin', { BROWSER: 'firefox' }, [['firefox', url]]],
  [
    'several of them, with arguments',
    'linux',
    { BROWSER: 'w3m -M %s:links' },
    [
      ['w3m', '-M', url],
      ['links', url],
    ],
  ],
  ['open on a Mac', 'darwin', {}, [['open', url]]],
  ['xdg-open where there is a screen', 'linux', { WAYLAND_DISPLAY: 'wayland-0' }, [['xdg-open', url]]],
  ['nothing where there is none', 'linux', {}, []],
])('takes %s', (_, platform, environment, commands) => {
  expect(browserCommands(url, platform, environment)).toEqual(commands)
})
