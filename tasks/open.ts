import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { facingVisitors } from '../recipes/followers.js'
import { openBrowser } from './browser.js'
import { urlsOf } from './urls.js'

/** Opens the site in the browser of this machine, where it has one, and prints where the site is. */
export const open = task({
  on: 'once',
  needs: 'instance',
  group: 'Day by day',
  meantBy: ['browse', 'url'],
  help: 'open the site in the browser, and print where it is',
  changes: 'nothing',
  examples: ['kraft open:stage', 'kraft open:live admin/', 'kraft open:stage --json'],
  raw: true,
  options: { path: option({ type: 'string', positional: true, default: '', help: 'a page of the site' }) },
  async run({ target, session, options: { path } }) {
    const nodes = facingVisitors(target.nodes)
    const urls = (await urlsOf(requireInstance(target), nodes)).map((url) => url + path.replace(/^\/+/, ''))
    const [url = ''] = urls
    const browser = session.flags.dryRun ? undefined : await openBrowser(url)
    return new Result(urls.join('\n'), { url, urls, browser: browser ?? null })
  },
})
