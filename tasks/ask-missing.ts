import { is } from 'valibot'
import type { Missing, Provider, ProviderSettings } from '../engine/node/provider.js'
import type { Prompt, Session } from '../engine/task/session.js'

/** What the provider is to do: look at what it has, find a node that is remembered, or make one. */
export type Purpose = 'look' | 'find' | 'make'

/**
 * Asks for what the provider has not been told, and offers to keep it in ~/.kraftwerk.yaml. Without a terminal nothing is asked: the
 * provider itself names what is missing.
 */
export async function askMissing(
  session: Session,
  provider: Provider,
  settings: ProviderSettings,
  purpose: Purpose,
): Promise<ProviderSettings> {
  const { prompt, report, flags } = session
  const missing = (provider.missing?.(settings) ?? [])
    .filter(({ toMake }) => purpose !== 'look' || toMake !== true)
    // A matter of taste, of a new node: whoever says --yes has none.
    .filter(({ otherwise }) => otherwise === undefined || (purpose === 'make' && !flags.yes))
  if (missing.length === 0 || prompt === undefined) return settings
  const answers: Record<string, string> = {}
  report.note(`The provider ${provider.name} has to know more. Ctrl-C leaves everything as it is.`)
  for (const each of missing) {
    answers[each.key] = await answerTo(each, provider, { ...settings, ...answers }, prompt, report.note)
  }
  const keys = Object.keys(answers).join(' and ')
  if (!flags.yes && (await prompt.confirm(`Keep ${keys} in ~/.kraftwerk.yaml, which only you can read then?`))) {
    const { keepSettings } = await import('../engine/config/keep-settings.js')
    report.note(`${keys}: kept in ${await keepSettings(provider.name, answers)}`)
  }
  return { ...settings, ...answers }
}

async function answerTo(
  { key, variables, otherwise }: Missing,
  provider: Provider,
  settings: ProviderSettings,
  prompt: Prompt,
  note: (line: string) => void,
): Promise<string> {
  const { doc = key, secret, schema } = provider.section[key] ?? {}
  // Listing the regions tries the credentials as well.
  const choices = key === 'location_id' ? ((await provider.regions?.(settings)) ?? []) : []
  if (choices.length > 0) note(choices.map(({ id, name }) => `  ${id}  ${name}`).join('\n'))
  const hint = variables.length > 0 ? ` (${variables.join(' or ')} would say it, too)` : ''
  const alone = otherwise === undefined ? '' : ` (Enter: ${otherwise})`
  for (;;) {
    const answer = (await prompt[secret === true ? 'secret' : 'text'](`${key}: ${doc}${hint}${alone}`)).trim()
    if (answer === '' && otherwise !== undefined) return otherwise
    const known = choices.length === 0 || choices.some(({ id }) => id === answer)
    if (answer !== '' && known && (schema === undefined || is(schema, answer))) return answer
    note(secret === true ? `That is no ${key}` : `"${answer}" is no ${key}`)
  }
}
