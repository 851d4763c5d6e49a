import type { ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { ProcessPromise } from 'zx/core'

type Spawn = typeof spawn
type Chunk = string | Buffer
type Literal = (pieces: TemplateStringsArray, values: readonly unknown[]) => ProcessPromise
type Kind = 'stdout' | 'stderr' | 'stdall'
type Taker = ProcessPromise | Writable

/** How much of its output a command keeps that is piped on or read as a stream: bytes. */
const kept = 16 << 20
/** How much may wait for whoever takes it: bytes. */
const waiting = 1 << 20

/** One command whose output is to flow. */
export interface Flow {
  /** For zx's option of this name. */
  readonly store: { readonly stdout: Chunk[]; readonly stderr: Chunk[]; readonly stdall: Chunk[] }
  /** A spawn whose child this flow watches. */
  watch(spawn: Spawn): Spawn
  /** Makes the methods of the promise that pass its output on do so with back-pressure; `literal` starts what is piped to as text. */
  attach(made: ProcessPromise, literal: Literal): void
}

/**
 * zx hands chunks on without asking whether the taker keeps up, and keeps them all. With this, a command that is piped on pauses
 * while its taker is full, and keeps the last 16 MB of its output, so that a dump of any size passes through flat memory.
 */
export function flowing(): Flow {
  const takers = { stdout: new Set<Taker>(), stderr: new Set<Taker>(), stdall: new Set<Taker>() }
  let passedOn = false
  let dropped = false
  let child: ChildProcess | undefined
  const store = () =>
    limited(
      () => passedOn,
      () => (dropped = true),
    )
  const check = (stream: Readable, kind: 'stdout' | 'stderr') => {
    const full = [...takers[kind], ...takers.stdall].map(inputOf).filter((input) => input !== undefined && isFull(input))
    const [first] = full
    if (first === undefined) return stream.resume()
    stream.pause()
    return onceDrained(first, () => check(stream, kind))
  }
  return {
    store: { stdout: store(), stderr: store(), stdall: store() },
    watch: (start) =>
      ((...given: Parameters<Spawn>) => {
        const started = start(...given)
        child = started
        // A taker that has read enough closes its input. That is no failure, and without a listener it would end this process.
        started.stdin?.on('error', () => undefined)
        // Behind zx's own listeners, which are what fills the takers.
        queueMicrotask(() => {
          for (const kind of ['stdout', 'stderr'] as const) {
            const stream = started[kind]
            stream?.on('data', () => {
              if (takers[kind].size + takers.stdall.size > 0) check(stream, kind)
            })
          }
        })
        return started
      }) as Spawn,
    attach(made, literal) {
      const { pipe } = made
      const on =
        (kind: Kind, method: (to: Taker | string) => unknown) =>
        (to: TemplateStringsArray | Taker | string, ...values: readonly unknown[]): unknown => {
          if (dropped) throw new Error('Too late to pipe this command: it has passed on more than it keeps (16 MB)')
          passedOn = true
          const taker = isText(to) ? literal(to, values) : to
          const given = method(taker)
          // A file's name has become a stream.
          takers[kind].add(typeof taker === 'string' ? (given as Writable) : taker)
          return given
        }
      const methods = {
        stdout: on('stdout', (to) => Reflect.apply(pipe.stdout, made, [to])),
        stderr: on('stderr', (to) => Reflect.apply(pipe.stderr, made, [to])),
        stdall: on('stdall', (to) => Reflect.apply(pipe.stdall, made, [to])),
      }
      const value = Object.assign((...to: Parameters<typeof methods.stdout>) => methods.stdout(...to), methods)
      Object.defineProperty(made, 'pipe', { value, configurable: true })
      const unpipe = made.unpipe.bind(made)
      const stop = (to?: Taker) => {
        for (const kind of ['stdout', 'stderr', 'stdall'] as const) {
          if (to === undefined) takers[kind].clear()
          else takers[kind].delete(to)
        }
        child?.stdout?.resume()
        child?.stderr?.resume()
        return unpipe(to as ProcessPromise)
      }
      Object.defineProperty(made, 'unpipe', { value: stop, configurable: true })
      const lines = made[Symbol.asyncIterator].bind(made)
      const iterate = () => {
        passedOn = true
        return lines()
      }
      Object.defineProperty(made, Symbol.asyncIterator, { value: iterate, configurable: true })
    },
  }
}

function isText(given: unknown): given is TemplateStringsArray {
  return Array.isArray(given)
}

function inputOf(taker: Taker): Writable | undefined {
  return 'child' in taker ? (taker.child?.stdin ?? undefined) : taker
}

function isFull(input: Writable): boolean {
  return input.writableNeedDrain && input.writableLength > waiting && !input.destroyed
}

function onceDrained(input: Writable, then: () => void): void {
  const go = () => {
    input.off('drain', go).off('close', go).off('error', go)
    then()
  }
  input.on('drain', go).on('close', go).on('error', go)
}

/** An array that forgets its beginning once it is allowed to. */
function limited(mayDrop: () => boolean, tell: () => void): Chunk[] {
  const chunks: Chunk[] = []
  let size = 0
  const push = (...more: Chunk[]): number => {
    for (const chunk of more) {
      size += chunk.length
      Array.prototype.push.call(chunks, chunk)
    }
    if (size > kept && mayDrop()) {
      tell()
      while (size > kept / 2 && chunks.length > 1) size -= chunks.shift()?.length ?? 0
    }
    return chunks.length
  }
  return Object.defineProperty(chunks, 'push', { value: push, enumerable: false })
}
