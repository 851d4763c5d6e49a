import { afterAll, beforeAll, expect } from 'vitest'
import { lines, sh } from '../../engine/shell/sh.js'
import { claimAddress, stateLock } from '../../recipes/providers/local/claim.js'
import { machineOff } from '../../recipes/providers/local/machine.js'
import { nodeNames } from '../../recipes/providers/local/names.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { decideRestore, prepareRestore } from '../../recipes/providers/local/snapshot.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { chapters } from '../rig/chapters.js'
import { failure } from '../rig/cli.js'
import { cutPower } from '../rig/power-cut.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A node that is kept, changed, put back, and started again after its machine went off.
const { chapter, essential } = chapters()
let story: Story

beforeAll(async () => {
  story = await beginStory('httpbin')
  await provisionPrepared(story, ['one'])
  await onNode(ready)
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: story.home })
const must = async (...args: string[]) => (await story.must(args, { cwd: story.home })).stdout
// sshd answers before PostgreSQL does.
const ready = 'until runuser -u postgres -- pg_isready -q; do sleep 0.1; done'
const onNode = async (script: string) => (await story.onNode('one', script)).trim()
const query = (text: string) => onNode(`runuser -u postgres -- psql -qAtc '${text}'`)

async function names() {
  const state = stateFrom(story.env)
  return { state, node: (await claimAddress(state, 'one')).node }
}

essential('a snapshot of a node that works is of one instant, and the work goes on', async () => {
  await onNode(`
    rm -r /usr/share/doc/libc6 && install -d /usr/share/doc/libc6 && touch /usr/share/doc/libc6/mine && rm /etc/debian_version
    runuser -u postgres -- psql -qc 'create table rows (id int)'
    cat >/root/work <<'end'
    i=0
    while :; do i=$((i+1)); echo "insert into rows values ($i) returning id;"; done
end
    (sh /root/work | runuser -u postgres -- psql -qAt) >/tmp/acknowledged 2>&1 &
    until [ -s /tmp/acknowledged ]; do sleep 0.1; done`)
  const before = Number(await onNode('tail -n 1 /tmp/acknowledged'))
  const [taken] = JSON.parse(await must('snapshot:one', 'at-work', '--json'))
  expect(taken).toMatchObject({ node: 'one', name: 'at-work', size: expect.any(Number) })
  expect(Math.abs(Date.parse(taken.time) - Date.now())).toBeLessThan(60_000)
  const after = Number(await query('select max(id) from rows'))
  await onNode(`until [ "$(tail -n 1 /tmp/acknowledged)" -gt ${after} ]; do sleep 0.1; done`)
  await onNode(
    'touch /root/later; echo changed >/etc/debian_version; rm /etc/ssh/ssh_host_*; ssh-keygen -qA; systemctl restart ssh',
  )
  expect((await kraft('run:one', '--', 'true')).stderr).toContain('its host key changed')

  await must('restore:one', '--yes')
  expect(await must('run:one', '--', 'ls', '/usr/share/doc/libc6')).toBe('mine\n')
  expect(await onNode('ls /etc/debian_version /root/later 2>&1 || :')).toMatch(/^(ls: cannot access .*\n?){2}$/)
  // It recovers as after a power cut.
  await onNode(ready)
  const [count, highest] = (await query('select count(*), max(id) from rows')).split('|').map(Number)
  expect(count).toBe(highest)
  expect(highest).toBeGreaterThanOrEqual(before)
  expect(highest).toBeLessThanOrEqual(after)
})

chapter('snapshots are listed with time and size, are deleted one by one, and a name counts once', async () => {
  expect(await must('snapshots:one')).toMatch(/^one +at-work +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +[\d.]+ MiB$/m)
  expect(failure((await kraft('snapshot:one', 'at-work')).stderr)).toContain('There is a snapshot at-work of one already')
  expect(failure((await kraft('snapshot:one', '../up')).stderr)).toContain('A snapshot can\'t be called "../up"')
  expect(failure((await kraft('restore:one', 'at-wrok', '--yes')).stderr)).toContain('Name one that there is: at-work')
  await must('snapshot:one')
  const [newest] = JSON.parse(await must('snapshots:one', '--json'))
  expect(newest.name).toMatch(/^\d{8}-\d{6}$/)
  await must('snapshots:one', 'delete', newest.name, '--yes')
  expect(JSON.parse(await must('snapshots:one', '--json'))).toMatchObject([{ name: 'at-work' }])
})

chapter(
  'a snapshot that is killed leaves a node that start has going again, and nothing that would be taken for one',
  async () => {
    const { state, node } = await names()
    await asRoot(
      'Leave what a killed snapshot leaves',
      sh`
      install -d ${node.folder}/snapshots/.new/upper
      for each in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        [ ! -e $each/${node.id}/cgroup.freeze ] || echo 1 >$each/${node.id}/cgroup.freeze
      done`,
      { lock: stateLock(state) },
    )
    expect(await must('nodes')).toMatch(/^one +starting/m)
    expect(await must('start:one')).toBe('one runs again\n')
    expect(JSON.parse(await must('snapshots:one', '--json'))).toMatchObject([{ name: 'at-work' }])
  },
)

chapter('a restore that is killed after it decided is finished by start, with the machine off', async () => {
  const { state, node } = await names()
  await onNode('touch /root/later')
  const cut = sh`rm() { exit 9; }`
  const script = lines(prepareRestore(state, node, 'at-work'), machineOff(node), cut, decideRestore(node))
  await asRoot('Cut a restore short', script, { lock: stateLock(state), expected: [9] })
  expect(await must('nodes')).toMatch(/^one +stopped/m)
  expect((await kraft('start:one', '--dry-run')).stdout).toBe('Would start the machine one\n')
  await must('start:one')
  expect(await must('run:one', '--', 'sh', '-c', 'ls /root/later /usr/share/doc/libc6/mine 2>/dev/null || :')).toBe(
    '/usr/share/doc/libc6/mine\n',
  )
})

chapter('start starts a machine that is off and logs in to it, and says where nothing is deployed yet', async () => {
  await cutPower(story, 'one')
  const { stdout, stderr } = await story.must(['start:one'])
  expect(stdout).toMatch(/^one runs again; httpbin has no release there yet$/m)
  expect(stderr).toContain('Start the machine one (local)')
  expect(await must('start:one')).toBe('one: nothing to start, the machine is on\n')
})

chapter('snapshots are gone with their node', async () => {
  const { state, node } = await names()
  await must('terminate:one', '--yes')
  const left = await asRoot('Look', sh`ls -d ${nodeNames(state, 'one', node.octet).folder} 2>/dev/null || :`)
  expect(left.stdout).toBe('')
})
