import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { KraftError } from '../engine/errors/failure.js'
import { secret } from '../engine/shell/secret.js'
import type { Step } from '../engine/step/step.js'
import { inBatches } from '../engine/task/in-batches.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { noteInLog } from '../recipes/audit.js'
import { facingVisitors, serves } from '../recipes/followers.js'
import { closableSite, closedState, closeSite, openSite } from '../recipes/maintenance.js'
import { releaseId } from '../recipes/release.js'
import { ownInstance } from '../recipes/stopped.js'
import { onEach } from './rollout/rollout.js'
import { whoAmI } from './rollout/switch.js'
import { urlsOf } from './urls.js'

/** Closes a site for visitors while somebody works on it, and opens it again. */
export const maintenance = task({
  on: 'once',
  rolling: true,
  needs: 'instance',
  group: 'Operate',
  help: 'close the site for visitors, or open it again\nThey get code 503 and a page of its own. Without on or off it says which it is.',
  changes: 'what nginx answers to visitors, from one request to the next; all goes on running',
  examples: [
    'kraft maintenance:live on --message "Back at noon" --retry-after 3600',
    'kraft maintenance:live on --allow 203.0.113.7',
    'kraft maintenance:live off',
    'kraft maintenance:live',
  ],
  options: {
    verb: option({ type: 'string', positional: true, choices: ['on', 'off'], help: 'what to do' }),
    message: option({ type: 'string', help: 'on: what the page says' }),
    retryAfter: option({ type: 'number', default: 600, help: 'on: seconds after which browsers and robots should come back' }),
    allow: option({ type: 'string', many: true, help: 'on: the address of a visitor who sees the site all the same' }),
  },
  async run({ target, session, line, options: { verb, message, retryAfter, allow } }) {
    const instance = requireInstance(target)
    const { name, owner } = instance
    const nodes = target.nodes.filter(serves)
    if (verb === undefined) return stateOf()
    const addresses = allow.map(plainAddress)
    if (!Number.isSafeInteger(retryAfter) || retryAfter < 1) {
      throw new KraftError({ kind: 'usage', message: `--retry-after is a whole number of seconds, not ${retryAfter}` })
    }
    const token = randomBytes(16).toString('hex')
    const given = {
      // Two in a second are two.
      id: `${releaseId(new Date())}-${randomBytes(4).toString('hex')}`,
      message,
      retryAfter,
      allow: addresses,
      token: secret(token, 'bypass'),
      note: {
        by: whoAmI(),
        at: new Date().toISOString(),
        message: message ?? null,
        retry_after: retryAfter,
        allow: addresses,
      },
    }
    const steps: readonly Step[] = [
      ...ownInstance(instance, owner),
      ...(verb === 'on' ? [...closableSite(instance), ...closeSite(instance, given)] : openSite(instance)),
      ...noteInLog(instance, { who: whoAmI(), what: `maintenance-${verb}`, release: '-', generation: '-', result: 'ok' }),
    ]
    const title = verb === 'on' ? 'Close the site' : 'Open the site'
    await inBatches(session, nodes, line, (batch, own) =>
      own.list([onEach({ nodes: batch, session }, title, (node, each) => node.apply(title, steps, each))]),
    )
    const would = session.flags.dryRun ? 'would be' : 'is'
    if (verb === 'off') return new Result(`${name} ${would} open`, { maintenance: false })
    if (session.flags.dryRun) return new Result(`${name} would be closed for maintenance`, { maintenance: true })
    const passes = (await urlsOf(instance, facingVisitors(target.nodes))).map((url) => `${url}.kraft/bypass/${token}`)
    return new Result(
      [`${name} is closed for maintenance. Who opens this sees it all the same, until it is off:`, ...passes].join('\n'),
      { maintenance: true, ...given.note, bypass: passes },
      `kraft maintenance:${target.word} off`,
      // Shown once, because it is what was asked for.
      true,
    )

    async function stateOf(): Promise<Result> {
      const found = await Promise.all(
        nodes.map(async (node) => ({ node: node.name, ...readState(await node.read(closedState(instance).text)) })),
      )
      const lines = found.map(({ node, text }) => `${nodes.length > 1 ? `${node}: ` : ''}${name} ${text}`)
      return new Result(
        lines.join('\n'),
        found.map(({ text: _, ...data }) => data),
      )
    }
  },
})

function readState(said: string) {
  const stopped = said.startsWith('stopped\n')
  const note: unknown = JSON.parse(said.replace(/^stopped\n/, '').trim() || 'null')
  const by = typeof note === 'object' && note !== null && 'by' in note && 'at' in note ? ` by ${note.by} since ${note.at}` : ''
  const state = note === null ? 'is open' : `is closed for maintenance${by}`
  return { maintenance: note !== null, stopped, note, text: stopped ? `${state}, and is stopped` : state }
}

/** An address as nginx writes it, by which a file is called. */
function plainAddress(text: string): string {
  const kind = isIP(text)
  if (kind === 4) return text
  // Short, in small letters.
  if (kind === 6 && !text.includes('%')) return new URL(`http://[${text}]/`).hostname.slice(1, -1)
  throw new KraftError({
    kind: 'usage',
    message: `--allow is the address of one visitor, not "${text}"`,
    next: 'For example: --allow 203.0.113.7',
  })
}
