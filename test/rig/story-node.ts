import { cp, mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { quote } from '../../engine/shell/sh.js'
import { removeState, stateFrom } from '../../recipes/providers/local/state.js'
import { mendImage } from './broken-image.js'
import { insideNode } from './inside-node.js'
import { type CallOptions, call, callKraft, kraftProgram, type Ran } from './kraft.js'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))

/** A newcomer's machine: an empty home, local nodes of the tests' own, and the built kraft. */
export interface Story {
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** The copy of an example in the home, else the home. */
  readonly project: string
  /** Calls kraft in the project, or where `cwd` says. */
  kraft(args: readonly string[], options?: Partial<CallOptions>): Promise<Ran>
  /** The same, and throws with all that it said unless it ends with code 0. */
  must(args: readonly string[], options?: Partial<CallOptions>): Promise<Ran>
  /** Runs a command line of bash here, in which `kraft` is the built one. */
  bash(line: string, options?: Partial<CallOptions>): Promise<Ran>
  /** Runs POSIX sh text on a node as root, past SSH, and returns what it prints. */
  onNode(name: string, script: string): Promise<string>
  /** Where a node is. */
  address(name: string): Promise<string>
  /** Removes nodes and home. */
  remove(): Promise<void>
}

/**
 * Begins a story, with a copy of an example if one is named, after removing what a crashed earlier run left. The nodes' image and
 * package caches stay in a fixed folder of the worker's own (test/rig/own-state.ts).
 */
export async function beginStory(example?: string): Promise<Story> {
  const { KRAFT_TEST_STATE: root = '', KRAFT_TEST_SUBNET: subnet = '' } = process.env
  const home = join(tmpdir(), `kraftwerk-story-${userInfo().uid}-${subnet}`)
  const project = join(home, example ?? '.')
  const kept = Object.entries(process.env).filter(([name]) => !/^(KRAFT_|CI$|FORCE_COLOR$|NODE_OPTIONS$|VITEST)/.test(name))
  const env = { ...Object.fromEntries(kept), HOME: home, KRAFT_LOCAL_STATE: root, KRAFT_LOCAL_SUBNET: subnet }
  const state = stateFrom(env)
  const remove = async () => {
    await removeState(state)
    await rm(home, { recursive: true, force: true })
  }
  await remove()
  await mendImage(state)
  await mkdir(home, { mode: 0o700 })
  const filter = (path: string) => !/\/(\.venv|\.local|__pycache__)$/.test(path)
  if (example !== undefined) await cp(join(examples, example), project, { recursive: true, filter })

  const kraft: Story['kraft'] = (args, options = {}) => callKraft(args, { cwd: project, env, ...options })
  const must: Story['must'] = async (args, options) => {
    const ran = await kraft(args, options)
    if (ran.code !== 0) throw new Error(`kraft ${args.join(' ')} ended with code ${ran.code}:\n${ran.stdout}\n${ran.stderr}`)
    return ran
  }
  return {
    home,
    env,
    project,
    kraft,
    must,
    bash: (line, options = {}) =>
      call('bash', ['-c', `kraft() { ${quote(process.execPath)} ${quote(kraftProgram)} "$@"; }\n${line}`], {
        cwd: project,
        env,
        ...options,
      }),
    onNode: (name, script) => insideNode(state, name, script),
    address: async (name) => {
      const nodes: unknown = parse(await readFile(join(home, '.kraftwerk/nodes.yaml'), 'utf8'))
      const found = nodes instanceof Object ? Object.entries(nodes).find(([each]) => each === name)?.[1]?.address : undefined
      if (typeof found !== 'string') throw new Error(`kraft does not remember ${name}`)
      return found
    },
    remove,
  }
}
