import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { ensurePackages } from './packages.js'

/** A page in a browser. */
export interface BrowserPage {
  /** Goes to an address, and waits until it is loaded. */
  open(url: string): Promise<void>
  /** What an expression is in the page; a promise is waited for. */
  evaluate(expression: string): Promise<unknown>
  /** Waits until an expression is true there. */
  waitFor(expression: string): Promise<void>
  /** The size of the screen, in CSS pixels; a narrow one is a phone. */
  resize(width: number, height: number): Promise<void>
  /** What is seen, as an image of WebP. */
  picture(): Promise<Buffer>
}

/** A browser without a window. */
export interface Browser {
  page(): Promise<BrowserPage>
  close(): Promise<void>
}

type Answer = { readonly id?: number; readonly method?: string; readonly result?: unknown; readonly error?: unknown }

/** Starts Debian's chromium, installed where it is missing, and drives it by its DevTools protocol over a pipe. */
export async function startChromium(): Promise<Browser> {
  await ensurePackages(['chromium', 'fonts-dejavu-core'])
  const folder = await mkdtemp(join(tmpdir(), 'kraft-chromium-'))
  const flags = ['--headless', '--remote-debugging-pipe', '--no-first-run', '--disable-gpu', '--disable-dev-shm-usage']
  // As root it has no sandbox of its own; it sees nothing but pages of these tests.
  if (process.getuid?.() === 0) flags.push('--no-sandbox')
  const child = spawn('chromium', [...flags, `--user-data-dir=${folder}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder },
  })
  const ended = once(child, 'close')
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, (answer: Answer) => void>()
  const events = new Set<(answer: Answer & { readonly sessionId?: string }) => void>()
  let rest = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = `${rest}${chunk}`.split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const answer: Answer & { readonly sessionId?: string } = JSON.parse(part)
      if (answer.id === undefined) for (const hear of events) hear(answer)
      else waiting.get(answer.id)?.(answer)
    }
  })
  let last = 0
  const send = async (method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> => {
    last += 1
    const id = last
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
    const gone = ended.then(() => {
      throw new Error(`chromium ended before it answered ${method}`)
    })
    const { result, error } = await Promise.race([answered, gone])
    waiting.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`)
    return result as Record<string, unknown>
  }

  const page = async (): Promise<BrowserPage> => {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
    const call = (method: string, params?: object) => send(method, params, String(sessionId))
    await call('Page.enable')
    const evaluate: BrowserPage['evaluate'] = async (expression) => {
      const { result, exceptionDetails } = await call('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })
      if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`)
      return (result as { readonly value?: unknown }).value
    }
    return {
      async open(url) {
        const loaded = new Promise<void>((resolve) => {
          const hear = (event: Answer & { readonly sessionId?: string }) => {
            if (event.sessionId !== sessionId || event.method !== 'Page.loadEventFired') return
            events.delete(hear)
            resolve()
          }
          events.add(hear)
        })
        await call('Page.navigate', { url })
        await loaded
      },
      evaluate,
      waitFor: async (expression) => {
        const deadline = performance.now() + 60_000
        while ((await evaluate(`Boolean(${expression})`)) !== true) {
          if (performance.now() > deadline) {
            throw new Error(`Never came true: ${expression}\n${await evaluate('document.body.innerText')}`)
          }
          await evaluate('new Promise((resolve) => setTimeout(resolve, 100))')
        }
      },
      resize: async (width, height) => {
        const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 }
        await call('Emulation.setDeviceMetricsOverride', metrics)
      },
      async picture() {
        const { data } = await call('Page.captureScreenshot', { format: 'webp', quality: 80 })
        return Buffer.from(String(data), 'base64')
      },
    }
  }
  return {
    page,
    async close() {
      input.end()
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
