import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { kindNames, loadKinds } from '../recipes/kinds.js'

/** Prints the documentation of the settings, also of services and providers that a kraftfile adds. */
export const settings = task({
  on: 'once',
  needs: 'nothing',
  group: 'More',
  help: 'print what can be set\nAlso for the services and providers of your kraftfile.',
  changes: 'nothing',
  examples: ['kraft settings', 'kraft settings environments', 'kraft settings --markdown > settings.md'],
  raw: true,
  options: {
    section: option({
      type: 'string',
      positional: true,
      choicesFrom: () => ['project', 'environments', 'user', 'nodes', ...kindNames('services'), ...kindNames('providers')],
      help: 'only this part',
    }),
    markdown: option({ type: 'boolean', help: 'all of it as a page in Markdown' }),
  },
  async run({ options }) {
    const [{ chapters, settingsPage }, { documented, textTable }, services, providers, frameworks, vaults] = await Promise.all([
      import('../project/settings-page.js'),
      import('../engine/config/section-table.js'),
      loadKinds('services'),
      loadKinds('providers'),
      loadKinds('frameworks'),
      loadKinds('vaults'),
    ])
    const kinds = { services, providers, frameworks, vaults }
    const found = chapters(kinds).filter(({ name }) => options.section === undefined || name === options.section)
    const text = options.markdown
      ? settingsPage(kinds).trimEnd()
      : found.map(({ doc, section }) => [doc, textTable(section) || '  nothing can be set'].join('\n')).join('\n\n')
    return new Result(
      text,
      found.map(({ name, doc, section }) => ({ name, doc, keys: documented(section) })),
    )
  },
})
