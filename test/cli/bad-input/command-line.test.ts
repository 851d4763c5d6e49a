import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { kraftProgram } from '../../rig/kraft.js'
import { type Case, check, inFolders, project, stage, stages, wsgi } from './refused.fixture.js'

inFolders()

const noProject = `there is no kraftwerk.yaml here or in a folder above
next:  In the folder of a project that you have: kraft init. For a new one: kraft init NAME`
const twice = `error: The node one is in several environments: stage, live
next:  Name the environment: kraft`

test('an older Node.js than kraft needs is said at once', async () => {
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.0' } })"
  const words = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, kraftProgram, 'deploy:stage']
  const ended = promisify(execFile)(process.execPath, words, { cwd: tmpdir() })
  await expect(ended).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^error: kraft needs Node\.js 20\.19 or newer, and this is 18\.19\.0\nnext: {2}Install .*nodejs\.org\n$/,
    ),
  })
})

describe.concurrent('says what is wrong with a command line, why and what next', () => {
  test.each<Case>([
    ['deploy', {}, 2, `error: deploy needs a project, and ${noProject}`],
    ['deploy:stage', {}, 2, `error: deploy needs a project, and ${noProject}`],
    ['dump', {}, 2, `error: dump needs a project, and ${noProject}`],
    ['run -- true', {}, 255, 'error: run needs a node, and there is none yet\nnext:  Make one: kraft provision one'],
    ['run:one -- true', {}, 255, 'error: There is no node "one".\nnext:  Make it: kraft provision one'],
    ['bootstrap:all', {}, 2, 'error: There is no node yet\nnext:  Make one: kraft provision one'],
  ])('without a kraftwerk.yaml: kraft %s', check)

  test.each<Case>([
    [
      'deploi:stage',
      project(stage),
      2,
      'error: There is no task "deploi". Did you mean "deploy"?\nnext:  kraft alone lists the tasks',
    ],
    [
      'deploy:stage --dryrun',
      project(stage),
      2,
      'error: deploy has no option --dryrun. Did you mean "--dry-run"?\nnext:  See: kraft help deploy',
    ],
    ['deploy:stage now', project(stage), 2, 'error: deploy does not know what to do with "now"\nnext:  See: kraft help deploy'],
    [
      'deploy stage',
      project(stage),
      2,
      'error: deploy does not know what to do with "stage"\nnext:  A target stands behind a colon: kraft deploy:stage',
    ],
    ['scale:stage web=x', project(stage), 2, 'error: "web=x" should be web=COUNT, with a count from 1 to 64'],
    ['scale:stage wb=2', project(stage), 2, 'error: There is no process "wb" here. Did you mean "web"?'],
    ['scale:stage web', project(stage), 2, 'error: "web" should be web=COUNT'],
    ['bootstrap one', project(stage), 2, '\nnext:  A target stands behind a colon: kraft bootstrap:one'],
    ['nodes one', project(stage), 2, 'error: nodes does not know what to do with "one"\nnext:  See: kraft help nodes'],
    [
      'run:stage ls',
      project(stage),
      255,
      '"ls"\nnext:  A target stands behind a colon, a command behind --: kraft run:TARGET -- COMMAND',
    ],
    ['deploy:stage -- x', project(stage), 2, 'error: deploy takes no command behind --'],
    [
      'deploy:stage:x',
      project(stage),
      2,
      'error: "deploy:stage:x" is not TASK or TASK:TARGET\nnext:  For example: kraft deploy:stage',
    ],
    ['--dry-run deploy', project(stage), 2, 'error: Name a task before --dry-run'],
    ['help deplyo', project(stage), 2, 'error: There is no task "deplyo". Did you mean "deploy"?'],
    [
      'deploy:stge',
      project(stage),
      2,
      'error: There is no environment or node "stge". Did you mean "stage"?\nnext:  Known here: stage, one, two.',
    ],
    ['bootstrap:onne', project(stage), 2, 'error: There is no node "onne". Did you mean "one"?'],
    [
      'deploy',
      project(stages),
      2,
      'error: deploy needs a target\nnext:  Say where, for example: kraft deploy:stage (known here: stage, live, one, two)',
    ],
    ['deploy:one', project(stages), 2, `${twice} deploy:stage or kraft deploy:live`],
    ['run:one -- true', project(stages), 255, `${twice} run:stage or kraft run:live`],
    ['run:stage', project(stage), 255, 'error: Say what to run\nnext:  For example: kraft run:stage -- manage.py check'],
    ['shell:stage', project(stage), 255, 'error: shell needs a terminal\nnext:  For one command: kraft run:stage -- COMMAND'],
    ['nodes:one', project(stage), 2, 'error: nodes takes nothing behind a colon'],
    [
      'load:stage',
      project(stage),
      2,
      'error: load needs FILE: a bundle that dump wrote; - reads stdin\nnext:  See: kraft help load',
    ],
    [
      'load:stage --on-node --identity key.txt',
      project(stage),
      2,
      'error: --identity has no meaning with --on-node: what dump --on-node leaves on a node is not encrypted\nnext:  Leave one of the two out',
    ],
    ['provision', {}, 2, 'error: provision needs NAME: what to call the node'],
    ['provision all', {}, 2, 'error: A node cannot be called "all": all means every node'],
    ['provision a/b', {}, 2, 'error: A node cannot be called "a/b": a name has letters, digits, dots and hyphens'],
    [
      'provision three --provider ec3',
      {},
      2,
      'error: --provider is one of digitalocean, ec2, hetzner, linode, local, openstack, static, vagrant; got "ec3". Did you mean "ec2"?\nnext:  See: kraft help provision',
    ],
    [
      'provision three --set imag=trixie',
      {},
      2,
      'error: The provider local has no setting "imag". Did you mean "image"?\nnext:  Its settings: image, user',
    ],
    ['provision three --set image=sid', {}, 2, 'error: --set image should be one of bookworm, trixie, noble, not "sid"'],
    [
      'provision three --provider static --image sid',
      {},
      2,
      'error: The provider static has no images\nnext:  Leave --image out, or look at its settings: kraft settings',
    ],
    ['provision three --image sid', {}, 2, 'error: --image should be one of bookworm, trixie, noble, not "sid"'],
    ['provision three --set image', {}, 2, 'error: --set takes KEY=VALUE, got "image"\nnext:  For example: --set image=trixie'],
    ['dump:stage --only postgres', project(stage), 2, 'error: shop has no service "postgres" with data\nnext:  It has files'],
    [
      'dump:stage',
      project(`${wsgi}environments: { stage: { nodes: [one] } }`),
      2,
      'error: shop has no service with data\nnext:  Add one to kraftwerk.yaml',
    ],
  ])('for a mistake on the command line: kraft %s', check)
})

test('a folder that is gone is named', async () => {
  const script = 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$0" "$1" nodes'
  const ended = await promisify(execFile)('sh', ['-c', script, process.execPath, kraftProgram], { cwd: tmpdir() }).catch(
    (error: unknown) => error,
  )
  expect(ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'error: The folder that you are in is gone\nnext:  Go to one that exists\n',
  })
})
