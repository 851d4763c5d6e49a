import { isKraftError, KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import { redact, redactData } from '../engine/shell/redact.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { showOnce } from '../engine/task/shown-once.js'
import type { Application } from '../recipes/application.js'
import { type Account, createdAccounts, superusers } from '../recipes/superusers.js'

/** Creates the accounts that are not there yet, once the release serves and nothing else can fail; returns those that it made. */
export async function createAccounts(
  { instance, framework }: Application,
  accounts: readonly Account[],
  node: Node | undefined,
  session: Session,
  line: Line,
): Promise<readonly Account[]> {
  const { superusers: command } = framework
  if (accounts.length === 0 || command === undefined || node === undefined) return []
  const created: Account[] = []
  const run = async (own: Line) => {
    // One by one: each password is kept before the next account can fail.
    for (const account of accounts) {
      const made = createdAccounts([account], await node.apply('Superusers', superusers(instance, command, [account]), own))
      showOnce(
        session,
        made.map((each) => ({ secret: each.password, text: told(each) })),
      )
      created.push(...made)
    }
  }
  try {
    await line.list([{ title: 'Superusers', run }])
  } catch (error) {
    if (!isKraftError(error) || error.failure.kind !== 'step') throw error
    const next = `${instance.name} serves the new release; only accounts are missing. Correct it and deploy again, or make one: kraft run:TARGET -- manage.py createsuperuser`
    throw new KraftError({ ...error.failure, next }, error)
  }
  return created
}

/** What a deploy hands back, with the passwords that are shown this once; everything else in it stays masked. */
export function withAccounts(
  created: readonly Account[],
  rows: readonly string[],
  data: Readonly<Record<string, unknown>>,
  next: string,
): Result {
  if (created.length === 0) return new Result(rows.join('\n'), data, next)
  const text = [
    ...rows.map(redact),
    ...created.map(told),
    'It is shown this once: keep it, or change it with manage.py changepassword',
  ]
  const shown = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, redactData(value)]))
  return new Result(text.join('\n'), { ...shown, superusers: created.map((each) => ({ ...each, shown: 'once' })) }, next, true)
}

function told({ username, email, password }: Account): string {
  return `Superuser ${username} (${email}) has the password ${password}`
}
