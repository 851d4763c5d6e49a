// Where the bench works: a home, a state of local nodes and a network of its own, so that nobody's nodes are touched.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { time } from './measure.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const kraft = [process.execPath, join(root, 'dist', 'kraft.js')]

const home = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kraftwerk', 'bench')
const local = {
  KRAFT_LOCAL_STATE: process.env.KRAFT_LOCAL_STATE ?? '/var/lib/kraftwerk-bench',
  KRAFT_LOCAL_SUBNET: process.env.KRAFT_LOCAL_SUBNET ?? '10.77.60',
}
const kept = Object.entries(process.env).filter(([name]) => !/^(KRAFT_|XDG_|NODE_)/.test(name))

/** The environment of what is measured; nothing is set for kraft, as with most people. */
export const env = { ...Object.fromEntries(kept), HOME: home, CI: '1' }
/** The same where nodes are made and removed. */
export const withState = { ...env, ...local }

/** An empty home, after what an earlier run may have left was removed. */
export async function prepare() {
  await removeNodes()
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true, mode: 0o700 })
}

/** Removes all nodes of the bench and what serves them; the image and the package caches stay. */
export async function removeNodes() {
  const { removeState } = await import('../dist/recipes/providers/local/state.js')
  if (existsSync(local.KRAFT_LOCAL_STATE)) await removeState({ root: local.KRAFT_LOCAL_STATE, subnet: local.KRAFT_LOCAL_SUBNET })
  rmSync(join(home, '.kraftwerk', 'nodes.yaml'), { force: true })
}

/** A project with the example's kraftfile that has kraftwerk installed. */
export function kraftfileProject() {
  const folder = join(home, 'kraftfile')
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules', 'kraftwerk'))
  cpSync(join(root, 'kraftfile.example.ts'), join(folder, 'kraftfile.ts'))
  writeFileSync(join(folder, 'kraftwerk.yaml'), 'version: 1\nwsgi: example.wsgi:application\n')
  return folder
}

/** A copy of the guestbook, to change files in. */
export function guestbook() {
  const folder = join(home, 'guestbook')
  cpSync(join(root, 'examples', 'guestbook'), folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
  return folder
}

/** A folder outside of all projects. */
export const outside = home

/** Calls kraft for what is not measured, in a folder. */
export async function call(args, { cwd = home, signal } = {}) {
  return (await time([...kraft, ...args], { cwd, env: withState, signal })).said
}

/** OpenSSH's command line for a node: the same key, and only the host keys that kraft remembers. */
export function openssh(node) {
  const record = parse(readFileSync(join(home, '.kraftwerk', 'nodes.yaml'), 'utf8'))[node]
  if (record === undefined) throw new Error(`There is no node ${node}`)
  const { address, port = 22, user, host_keys: hostKeys } = record
  const known = join(home, `known_hosts-${node}`)
  writeFileSync(known, hostKeys.map((key) => `${port === 22 ? address : `[${address}]:${port}`} ${key}\n`).join(''))
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${known}`, 'IdentitiesOnly=yes']
  const key = join(home, '.kraftwerk', 'id_ed25519')
  const given = options.flatMap((each) => ['-o', each])
  return ['ssh', '-F', '/dev/null', ...given, '-i', key, '-p', String(port), `${user}@${address}`]
}
