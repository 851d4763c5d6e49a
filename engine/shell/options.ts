import type { Options } from 'zx/core'

const onlyHere: Readonly<Record<string, string>> = {
  sync: 'A command on a node cannot be synchronous: await it instead',
  detached: 'A command on a node ends with its connection; what is to outlive it belongs under processes: in kraftwerk.yaml',
  preferLocal: 'preferLocal means node_modules/.bin of this machine, which a node has not; use local.$, or set PATH with env',
  spawn: 'A command on a node is started by kraft; its $ takes no spawn of your own',
  spawnSync: 'A command on a node cannot be synchronous: await it instead',
  kill: 'A command on a node is ended by kraft; its $ takes no kill of your own',
}

/** Whether `$` was called with options, `$({ nothrow: true })`, and not with a command. */
export function isOptions(given: unknown): given is Partial<Options> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

/**
 * Options of zx as they are, if they can hold on a node.
 *
 * @throws TypeError for one that only makes sense on this machine.
 * @example refuseOptions({ detached: true }) // throws
 */
export function refuseOptions<O extends Partial<Options> | Readonly<Record<PropertyKey, unknown>>>(options: O): O {
  for (const [name, value] of Object.entries(options)) {
    const why = onlyHere[name]
    if (why !== undefined && value !== false && value !== undefined) throw new TypeError(why)
  }
  return options
}
