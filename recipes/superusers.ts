import { randomInt } from 'node:crypto'
import { KraftError } from '../engine/errors/failure.js'
import { register } from '../engine/shell/redact.js'
import { secret } from '../engine/shell/secret.js'
import { sh } from '../engine/shell/sh.js'
import type { Applied } from '../engine/step/show.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { settingPlace } from '../project/setting-place.js'
import type { Superuser } from '../project/settings.js'
import type { Application } from './application.js'

/** An account that is to be made, with the password that it gets. */
export interface Account extends Superuser {
  readonly password: string
}

// Without those that look like each other: people type it.
const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/**
 * The accounts that `superusers:` asks for, each with a password of its own: 20 letters, 116 bits.
 *
 * @throws KraftError `setting` where the framework of the project knows no accounts.
 */
export function newAccounts({ instance, framework }: Application): readonly Account[] {
  const { settings } = instance
  if (settings.superusers.length > 0 && framework.superusers === undefined) {
    throw new KraftError({
      kind: 'setting',
      place: settingPlace(instance, ['superusers'], 'key'),
      message: `superusers are accounts of a Django project, and this one is ${framework.doc}`,
      next: 'Leave superusers out',
    })
  }
  return settings.superusers.map((each) => {
    const password = Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join('')
    register(password)
    return { ...each, password }
  })
}

/**
 * Creates accounts as the instance's user in the release that serves, and prints `created NAME` for each. A name that was seen to once
 * is not looked at again, so that an account which somebody removed stays removed.
 */
export function superusers(place: Place, command: string, accounts: readonly Account[]): readonly Step[] {
  const done = layout.superusers(place)
  return accounts.map((account) => ({
    title: `Superuser ${account.username}`,
    files: { accounts: secret(JSON.stringify([account]), 'superuser') },
    check: sh`grep -qxF -- ${account.username} ${done}`,
    apply: sh`
      umask 077
      ${layout.settings(place)}/enter bash -c ${command} <"$KRAFT_STEP/accounts"
      printf '%s\n' ${account.username} >>${done}
    `,
  }))
}

/** The accounts that {@link superusers} created, by what it printed. */
export function createdAccounts(accounts: readonly Account[], applied: Applied): readonly Account[] {
  const printed = new Set(applied.output.flat())
  return accounts.filter(({ username }) => printed.has(`created ${username}`))
}
