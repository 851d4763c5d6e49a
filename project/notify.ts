import * as v from 'valibot'

/** How a deploy ended. */
export type Outcome = 'success' | 'failure'

/** Who is told of the end of a deploy: an address that gets JSON, or a command that runs here. */
export type Notification = { readonly on: readonly Outcome[] } & ({ readonly webhook: string } | { readonly command: string })

const outcomes = v.pipe(v.array(v.picklist(['success', 'failure'])), v.nonEmpty('success, failure or both'))
const webhook = v.pipe(
  v.string(),
  v.check((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), 'an address that begins with https://'),
  v.description('An address that gets JSON'),
)
const command = v.pipe(
  v.string(),
  v.trim(),
  v.nonEmpty('a command'),
  v.description('A command that runs here, told by KRAFT_* variables'),
)

const kinds = v.record(v.picklist(['webhook', 'command', 'on']), v.unknown())

/** The schema of a setting that names who is told, by default of these outcomes. */
export function notificationsOf(usual: readonly Outcome[]): v.GenericSchema<unknown, Notification[]> {
  const on = v.optional(v.pipe(outcomes, v.description('Of which ends: success, failure or both')), [...usual])
  const one = v.lazy(
    (input): v.GenericSchema<unknown, Notification> =>
      typeof input === 'object' && input !== null && 'command' in input
        ? v.pipe(
            kinds,
            v.object({ command, on, webhook: v.optional(v.never('in an item of its own')) }),
            v.transform(({ command, on }) => ({ command, on })),
          )
        : v.pipe(kinds, v.object({ webhook, on })),
  )
  const inputs = [{ webhook: '' }, { command: '' }]
  return v.array(v.pipe(one, v.metadata({ inputs })))
}

/** The schema of the setting `notify`. */
export const notifications = notificationsOf(['success', 'failure'])

/** What is known of a deploy or a rollback when it has ended. */
export interface Ending {
  readonly task: string
  readonly result: Outcome
  readonly project: string
  readonly environment: string | null
  readonly instance: string
  readonly release: string | null
  readonly commit: string | null
  readonly revision: string | null
  readonly who: string
  readonly seconds: number
  readonly urls: readonly string[]
  readonly error: string | null
}

/**
 * The end of a deploy in one line, as chats show it.
 *
 * @example endingText(ending) // 'shop live: deploy of 20261128-010203 (main, 1a2b3c4) by ada@laptop is done in 12 s: https://shop.example.com/'
 */
export function endingText(ending: Ending): string {
  const { task, result, project, environment, release, commit, revision, who, seconds, urls, error } = ending
  const code = [revision, commit?.slice(0, 7)].filter((part) => part !== null && part !== undefined && part !== '').join(', ')
  const what = [project, environment].filter((part) => part !== null).join(' ')
  const which = `${release === null ? '' : ` of ${release}`}${code === '' ? '' : ` (${code})`}`
  const ended = result === 'success' ? `is done in ${seconds} s` : `failed after ${seconds} s`
  const more = result === 'success' ? urls.join(' ') : (error ?? '')
  return `${what}: ${task}${which} by ${who} ${ended}${more === '' ? '' : `: ${more}`}`
}

/**
 * The same for a command, in variables. The release is not KRAFT_RELEASE: that would set the release command of a kraft that is
 * called there.
 */
export function endingVariables(ending: Ending): Readonly<Record<string, string>> {
  const { urls, environment, release, instance, ...rest } = ending
  const all = { ...rest, env: environment, release_id: release, name: instance, url: urls[0] ?? '', text: endingText(ending) }
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [`KRAFT_${key.toUpperCase()}`, String(value ?? '')]))
}
