import { spawn } from 'node:child_process'
import { explain } from '../engine/errors/explain.js'
import { summary } from '../engine/errors/failure.js'
import { redact } from '../engine/shell/redact.js'
import { signalGroup } from '../engine/shell/signal-group.js'
import type { TargetContext } from '../engine/task/context.js'
import { requireInstance } from '../project/instance.js'
import { type Ending, endingText, endingVariables, type Notification, type Outcome } from '../project/notify.js'
import { facingVisitors } from '../recipes/followers.js'
import { whoAmI } from './rollout/switch.js'
import { urlsOf } from './urls.js'

/** What a task learns on its way and a notification tells. */
export interface Noted {
  release?: string
  commit?: string | undefined
  revision?: string | undefined
}

/**
 * Makes a task's body tell of its end whom `notify:` names, also when it fails. Whoever can't be told is reported and changes
 * nothing. What never began, because the command line or a setting is wrong, is not told.
 *
 * @example run: notifying('deploy', async ({ target }, noted) => { noted.release = id; … })
 */
export function notifying<Context extends TargetContext<unknown>, Value>(
  task: string,
  run: (context: Context, noted: Noted) => Promise<Value>,
): (context: Context) => Promise<Value> {
  return async (context) => {
    const noted: Noted = {}
    const began = performance.now()
    const tell = (result: Outcome, error?: string) => tellAll(context, { task, result, noted, began, error })
    try {
      const value = await run(context, noted)
      await tell('success')
      return value
    } catch (error) {
      const failure = explain(error)?.failure
      const started = failure === undefined || !['usage', 'setting', 'interrupted'].includes(failure.kind)
      if (started) await tell('failure', failure === undefined ? String(error) : summary(failure))
      throw error
    }
  }
}

interface End {
  readonly task: string
  readonly result: Outcome
  readonly noted: Noted
  readonly began: number
  readonly error: string | undefined
}

async function tellAll({ target, session, line }: TargetContext<unknown>, end: End): Promise<void> {
  const instance = requireInstance(target)
  const asked = instance.settings.notify.filter(({ on }) => on.includes(end.result))
  if (asked.length === 0) return
  const { release = null, commit = null, revision = null } = end.noted
  const ending: Ending = {
    task: end.task,
    result: end.result,
    project: instance.project.name,
    environment: instance.environment ?? null,
    instance: instance.name,
    release,
    commit,
    revision,
    who: whoAmI(),
    seconds: Math.round((performance.now() - end.began) / 1000),
    urls: await urlsOf(instance, facingVisitors(target.nodes)),
    error: end.error === undefined ? null : redact(end.error),
  }
  await line.list([
    {
      title: 'Notify',
      run: async (own) => {
        if (session.flags.dryRun) return own.skip(`a dry run tells nobody; it would be ${asked.length}`)
        const told = await Promise.all(asked.map((each) => tellOne(each, ending, instance.folder)))
        for (const [index, problem] of told.entries()) {
          const kind = 'webhook' in (asked[index] ?? {}) ? 'webhook' : 'command'
          if (problem !== undefined) own.output(`the ${kind} ${index + 1} of notify failed: ${problem}`)
        }
      },
    },
  ])
}

/** Undefined where it was told, else why not. */
async function tellOne(to: Notification, ending: Ending, folder: string): Promise<string | undefined> {
  return 'webhook' in to ? post(to.webhook, ending) : runCommand(to.command, ending, folder)
}

/** Seconds for a webhook, and for a command. */
const patience = { webhook: 5, command: 60 }

async function post(url: string, ending: Ending): Promise<string | undefined> {
  try {
    const { status } = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: endingText(ending), ...ending }),
      // It has said where it is; what is secret goes nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(patience.webhook * 1000),
    })
    return status >= 200 && status < 300 ? undefined : `it answers with code ${status}`
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${patience.webhook} s`
    // What fetch says of an address holds the address; its cause says what happened.
    const cause = error instanceof Error ? error.cause : undefined
    return cause instanceof Error && 'code' in cause ? String(cause.code) : 'it could not be reached'
  }
}

/** Runs a command of `notify:` here; undefined where it ended well within so many seconds, else how it did not. */
export function runCommand(
  command: string,
  ending: Ending,
  cwd: string,
  seconds = patience.command,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...endingVariables(ending) }
    const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-1000)
      })
    }
    const timer = setTimeout(() => {
      // With all that it has started; what has left its group, and holds its output, is not waited for.
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
      resolve(`it did not end within ${seconds} s`)
    }, seconds * 1000)
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) => {
      clearTimeout(timer)
      const last = redact(said.trim().split('\n').at(-1) ?? '')
      resolve(code === 0 ? undefined : `code ${code}${last === '' ? '' : `: ${last}`}`)
    })
  })
}
