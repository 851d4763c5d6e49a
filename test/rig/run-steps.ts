import { spawn } from 'node:child_process'
import { compile } from '../../engine/step/compile.js'
import type { Step } from '../../engine/step/step.js'

/** How one step ended, with all that it printed. */
export interface Ended {
  readonly title: string
  readonly status: string
  readonly detail: string
  readonly output: string
}

/**
 * Runs compiled steps by real shells: here, or wherever `command` leads to a shell that reads its script from stdin
 * (`['ssh', 'root@…', 'sh -s']`). Handlers that are due are kept in a folder of the run's own.
 */
export async function runSteps(
  steps: readonly Step[],
  { mode = 'apply', command = ['sh', '-s'] }: { mode?: 'apply' | 'check'; command?: readonly string[] } = {},
): Promise<readonly Ended[]> {
  const script = compile('test', steps)
  const put = (path: string, content: string): string =>
    `mkdir -p "$d/$(dirname ${path})" && base64 -d >"$d/${path}" <<'END'\n${Buffer.from(content).toString('base64')}\nEND`
  const launcher = [
    'd=$(mktemp -d)',
    `trap 'rm -rf "$d"' EXIT`,
    put('script', script.text.replace('kraft_due=/var/lib/kraftwerk/handlers', 'kraft_due=$KRAFT_DIR/handlers')),
    ...script.secrets.map(({ path, value }) => put(path, value())),
    `KRAFT_DIR="$d" KRAFT_TOKEN=token KRAFT_MODE=${mode} sh "$d/script" </dev/null 2>&1`,
  ].join('\n')
  return read(await feed(command, launcher), steps)
}

async function feed([program = 'sh', ...words]: readonly string[], text: string): Promise<string> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(text)
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  return output
}

function read(output: string, steps: readonly Step[]): readonly Ended[] {
  const ended: Ended[] = []
  let said: string[] = []
  for (const row of output.split('\n')) {
    const [, type, first = '', status = '', ...detail] = row.startsWith('\x1etoken ') ? row.split(' ') : []
    if (type === undefined) {
      if (row !== '') said.push(row)
      continue
    }
    if (type === 'end') {
      ended.push({ title: steps[Number(first)]?.title ?? '', status, detail: detail.join(' '), output: said.join('\n') })
    }
    if (type === 'handler-end') {
      const [name, code] = [[status, ...detail].join(' '), first === '0' ? '' : first]
      ended.push({
        title: `handler ${name}`,
        status: code === '' ? 'handled' : 'handler-failed',
        detail: code,
        output: said.join('\n'),
      })
    }
    said = []
  }
  return ended
}
