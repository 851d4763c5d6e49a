import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lines, sh } from '../../engine/shell/sh.js'
import { compile } from '../../engine/step/compile.js'
import { bootstrap } from '../../recipes/bootstrap.js'
import { claimAddress, stateLock } from '../../recipes/providers/local/claim.js'
import { personalise } from '../../recipes/providers/local/files.js'
import { prepareHost } from '../../recipes/providers/local/host.js'
import { imageName, type Suite } from '../../recipes/providers/local/image.js'
import type { State } from '../../recipes/providers/local/names.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { call } from './kraft.js'
import type { Story } from './story-node.js'

/**
 * Makes nodes that are bootstrapped already. The first is prepared by `kraft bootstrap` and kept as an image, from
 * which the next start in two seconds, as long as bootstrap's scripts are the same; how a node is bootstrapped from nothing is for the stories to show.
 *
 * @example await provisionPrepared(story, ['one', 'two'])
 */
export async function provisionPrepared(
  story: Story,
  names: readonly string[],
  user = 'root',
  suite: Suite = 'bookworm',
): Promise<void> {
  await prepareFiles(story, names, user, suite)
  for (const name of names) {
    await story.must(['provision', name, '--set', `user=${user}`, '--set', `image=${suite}`], { cwd: story.home })
  }
}

/** What kraft does to make such nodes, up to where they start: whatever makes them takes up nodes whose files are there. */
export async function prepareFiles(
  story: Story,
  names: readonly string[],
  user = 'root',
  suite: Suite = 'bookworm',
): Promise<void> {
  const state = stateFrom(story.env)
  await prepareHost(state, () => undefined)
  const publicKey = await loginKey(story)
  const image = await preparedImage(story, state, suite)
  for (const name of names) {
    const { node } = await claimAddress(state, name)
    const files = await personalise(state, node, { image, publicKey, user })
    await asRoot(`Make the files of ${name}`, files, { lock: stateLock(state) })
  }
}

async function loginKey({ home }: Story): Promise<string> {
  const folder = join(home, '.kraftwerk')
  const file = join(folder, 'id_ed25519')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await call('sh', ['-c', '[ -e "$0" ] || ssh-keygen -q -N "" -C kraft -t ed25519 -f "$0"', file], {
    cwd: home,
    env: process.env,
  })
  return readFile(`${file}.pub`, 'utf8')
}

/** The image of a bootstrapped node, made where it is not there yet; those of other scripts go. */
async function preparedImage(story: Story, state: State, suite: Suite): Promise<string> {
  const name = `prepared-${imageName(suite)}-${scriptsHash()}`
  const image = `${state.root}/images/${name}`
  const { code } = await asRoot('Look for the prepared image', sh`[ -d ${image} ] || exit 1`, { expected: [1] })
  if (code === 0) return name
  await story.must(['provision', 'prepared', '--set', `image=${suite}`], { cwd: story.home })
  await story.must(['bootstrap:prepared'], { cwd: story.home, seconds: 500 })
  // As after a shutdown: nothing writes while it is copied.
  await story.onNode('prepared', 'systemctl stop cron runit nginx "postgresql*" "redis*" systemd-journald 2>/dev/null || :; sync')
  await asRoot(
    'Keep the prepared node as an image',
    lines(
      sh`
      rm -rf --one-file-system ${state.root}/images/prepared-${suite}-*
      cp -ax ${state.root}/nodes/prepared/root ${image}.new
      rm -rf ${image}.new/var/log/journal ${image}.new/var/lib/systemd/random-seed
      mv ${image}.new ${image}`,
    ),
  )
  await story.must(['terminate:prepared', '--yes'], { cwd: story.home })
  return name
}

// The scripts themselves, with all that they bring.
function scriptsHash(): string {
  const hash = createHash('sha256')
  for (const { title, steps } of bootstrap({ sshPort: 22 })) hash.update(compile(title, steps).hash)
  return hash.digest('hex').slice(0, 12)
}
