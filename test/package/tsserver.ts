import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'

/** A problem that an editor underlines. */
export interface Diagnostic {
  readonly text: string
  readonly line: number
}

/** An editor's view of one file. */
export interface Editor {
  /** Opens a file with a text, saved or not. */
  open(file: string, text: string): void
  /** What it would underline: mistakes of grammar and of types. */
  problems(file: string): Promise<readonly Diagnostic[]>
  /** What it shows where the mouse rests, `at` so many characters into the text: the type and the documentation. */
  hover(file: string, text: string, at: number): Promise<{ readonly type: string; readonly docs: string }>
  close(): Promise<void>
}

/**
 * Starts TypeScript's own editor service, the one behind VS Code and most others.
 *
 * @param inferred compiler options for files without a tsconfig.json; left out: the service's own.
 */
export async function openEditor(cwd: string, inferred?: Readonly<Record<string, unknown>>): Promise<Editor> {
  const server = createRequire(import.meta.url).resolve('typescript/lib/tsserver.js')
  const child = spawn(process.execPath, [server, '--disableAutomaticTypingAcquisition', '--suppressDiagnosticEvents'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = new Map<number, (message: Readonly<Record<string, unknown>>) => void>()
  let sequence = 0
  let received = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    received += text
    // Each message is one line of JSON behind its header.
    const rows = received.split('\n')
    received = rows.pop() ?? ''
    for (const row of rows) {
      if (!row.startsWith('{')) continue
      const message: unknown = JSON.parse(row)
      if (!isRecord(message) || message.type !== 'response' || typeof message.request_seq !== 'number') continue
      waiting.get(message.request_seq)?.(message)
      waiting.delete(message.request_seq)
    }
  })

  const send = (command: string, args: unknown): number => {
    sequence += 1
    child.stdin.write(`${JSON.stringify({ seq: sequence, type: 'request', command, arguments: args })}\n`)
    return sequence
  }
  const ask = (command: string, args: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(send(command, args), (message) => {
        if (message.success === true) resolve(message.body)
        else reject(new Error(`${command}: ${String(message.message)}`))
      })
    })

  if (inferred !== undefined) await ask('compilerOptionsForInferredProjects', { options: inferred })
  return {
    open: (file, fileContent) => {
      send('open', { file, fileContent, projectRootPath: cwd })
    },
    async problems(file) {
      const found = [await ask('syntacticDiagnosticsSync', { file }), await ask('semanticDiagnosticsSync', { file })].flat()
      return found.filter(isRecord).map(({ text, start }) => ({
        text: String(text),
        line: isRecord(start) && typeof start.line === 'number' ? start.line : 0,
      }))
    },
    async hover(file, text, at) {
      const before = text.slice(0, at).split('\n')
      const body = await ask('quickinfo', { file, line: before.length, offset: (before.at(-1)?.length ?? 0) + 1 })
      return isRecord(body) ? { type: String(body.displayString), docs: String(body.documentation) } : { type: '', docs: '' }
    },
    close: () =>
      new Promise((done) => {
        child.on('close', () => done())
        send('exit', {})
      }),
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
