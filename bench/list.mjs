// `kraft --list` with a kraftfile.ts against bare node: with its cache, as every call but the first, and without.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, more, spread, time } from './measure.mjs'
import { env, kraft, kraftfileProject, outside } from './place.mjs'

export const about = 'kraft --list'
export const needsNode = false

export async function measure({ runs, signal, row }) {
  const cwd = kraftfileProject()
  const list = { command: [...kraft, '--list'], cwd, env }
  const { said } = await time(list.command, { ...list, signal })
  if (!said.includes('clear-cache')) throw new Error(`kraft --list does not list the kraftfile's tasks:\n${said}`)
  const bare = { command: [process.execPath, '-e', '0'], cwd, env }
  const times = await inTurns({ bare, list }, runs * 6, signal)
  const forget = () => rmSync(join(outside, '.cache'), { recursive: true, force: true })
  const cold = await inTurns({ bare, list: { ...list, before: forget } }, runs, signal)
  row({ what: 'node -e 0', ...spread(times.bare) })
  row({ what: 'kraft --list, cached', ...spread(times.list), over: 'node', more: more(times.list, times.bare), aim: 70 })
  row({ what: 'kraft --list, first time', ...spread(cold.list), over: 'node', more: more(cold.list, cold.bare) })
}
