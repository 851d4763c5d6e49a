import type { Options, ProcessPromise, Shell } from 'zx/core'
import { flowing } from './flow.js'
import { here, noted } from './noted.js'
import { isOptions } from './options.js'
import { reveal } from './secret.js'
import { slots } from './secret-words.js'

type Zx = typeof import('zx/core')

/**
 * zx on this machine, which prints nothing by itself. Piped on, its commands wait for slow takers, and a secret among the values
 * reaches the command through its environment, never on a command line.
 *
 * @example const $ = await localShell(); await $`git rev-parse HEAD`
 */
export async function localShell(): Promise<Shell> {
  return bind(await import('zx/core'), { quiet: true, verbose: false })
}

function bind(zx: Zx, own: Partial<Options>): Shell {
  // Calls and settings are zx's own ($.cwd = …, cd, within); only how a command starts is ours.
  return new Proxy(zx.$, {
    apply(_target, _self, [given, ...values]: [unknown, ...unknown[]]) {
      if (isOptions(given)) return bind(zx, { ...own, ...given })
      return start(zx, own, given as TemplateStringsArray, values)
    },
    get: (target, name) => (name === 'sync' ? bind(zx, { ...own, sync: true }) : Reflect.get(target, name)),
  })
}

function start(zx: Zx, own: Partial<Options>, pieces: TemplateStringsArray, values: readonly unknown[]): ProcessPromise {
  const { words, secrets, quote } = slots(values, own.quote ?? zx.$.quote ?? zx.quote)
  const revealed = Object.fromEntries([...secrets].map(([name, value]) => [name, reveal(value)]))
  const options = { ...own, quote, ...(secrets.size === 0 ? {} : { env: { ...(own.env ?? zx.$.env), ...revealed } }) }
  if (own.sync === true) return zx.$(options)(pieces, ...words)
  const flow = flowing()
  const made = zx.$({ ...options, store: flow.store, spawn: flow.watch(own.spawn ?? zx.$.spawn) })(pieces, ...words)
  noted(made, here)
  flow.attach(made, (piped, rest) => start(zx, { ...own, halt: true, signal: made.signal }, piped, rest))
  return made
}
