import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { printError } from '../../../engine/errors/print.js'
import { secret } from '../../../engine/shell/secret.js'
import { Sh, sh } from '../../../engine/shell/sh.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { apply, type StepEvent, stopScripts } from '../../../engine/step/apply.js'
import { compile } from '../../../engine/step/compile.js'
import { showSteps } from '../../../engine/step/show.js'
import type { Step } from '../../../engine/step/step.js'
import { failureOf } from '../../rig/failure.js'
import { type Loopback, notedLine, startLoopback } from '../../rig/loopback.js'

let node: Loopback
let connection: Connection
let room: string

beforeAll(async () => {
  node = await startLoopback()
  process.env.HOME = node.sshd.folder
  connection = node.connect()
})
afterAll(() => node.stop())
// A folder for each test, on the node.
beforeEach(async () => {
  room = (await on('mktemp -d /run/kraftwerk/test-XXXXXX')).trim()
})

async function on(command: string): Promise<string> {
  const { stdout, stderr, exit } = await connection.capture(command)
  if (exit.code !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

async function events(steps: readonly Step[], mode: 'apply' | 'check' = 'apply'): Promise<readonly StepEvent[]> {
  const all: StepEvent[] = []
  for await (const event of apply(connection, compile('test', steps), mode)) all.push(event)
  return all
}

/** The same connection, with a change to what is sent over it. */
function onTheWay(
  change: (bytes: Buffer) => Buffer,
  { user = connection.user, command = (text: string) => text } = {},
): Connection {
  return {
    node: connection.node,
    user,
    capture: (text, input) => connection.capture(text, input),
    forward: (host, port) => connection.forward(host, port),
    close: () => connection.close(),
    exec: async (text, options) => {
      const channel = await connection.exec(command(text), options)
      const stdin = new PassThrough()
      const chunks: Buffer[] = []
      stdin.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stdin.on('end', () => void channel.stdin.end(change(Buffer.concat(chunks))))
      return { ...channel, stdin }
    },
  }
}

/** What each step ended with: `ok`, `failed 3`… */
async function statuses(steps: readonly Step[], mode: 'apply' | 'check' = 'apply'): Promise<readonly string[]> {
  return (await events(steps, mode)).flatMap((event) => (event.type === 'end' ? [`${event.status} ${event.detail}`.trim()] : []))
}

const present = (name: string, more: Partial<Step> = {}): Step => ({
  title: name,
  check: sh`test -e ${`${room}/${name}`}`,
  apply: sh`touch ${`${room}/${name}`}`,
  ...more,
})
const counter = (name: string) => ({ name, apply: sh`echo ${name} >>${`${room}/handled`}` })
const handled = () => on(`cat ${room}/handled 2>/dev/null || :`)

describe('a step', () => {
  it('changes what is not true, and nothing the second time', async () => {
    const steps = [present('a'), present('b')]
    expect(await statuses(steps)).toEqual(['changed', 'changed'])
    expect(await statuses(steps)).toEqual(['ok', 'ok'])
  })

  it('that has no check is done each time', async () => {
    const steps: Step[] = [
      { title: 'a', apply: sh`echo` },
      { title: 'b', quiet: true, apply: sh`echo` },
    ]
    expect(await statuses(steps)).toEqual(['changed', 'ok'])
  })

  it('whose check ends with 75 is skipped, with the reason that it printed last', async () => {
    const steps: Step[] = [{ title: 'a', check: sh`echo one; echo no kernel here; exit 75`, apply: sh`exit 9` }]
    expect(await statuses(steps)).toEqual(['skipped no kernel here'])
  })

  it('that fails ends the script with its code', async () => {
    const steps = [present('a'), { title: 'fails', apply: sh`echo why; exit 3; echo unreached` }, present('c')]
    expect(await statuses(steps)).toEqual(['changed', 'failed 3'])
    expect(await on(`ls ${room}`)).toBe('a\n')
  })

  it('stops at its first failing command, whatever calls it', async () => {
    expect(await statuses([{ title: 'a', apply: sh`false; touch ${`${room}/unreached`}` }])).toEqual(['failed 1'])
    expect(await statuses([{ title: 'a', check: sh`false; true`, apply: sh`true` }])).toEqual(['changed'])
    expect(await on(`ls ${room}`)).toBe('')
  })

  it('has nothing on its input, so that it cannot eat the script', async () => {
    const greedy: Step = { title: 'a', check: sh`cat; false`, apply: sh`cat; read -r x || echo empty` }
    const all = await events([greedy, greedy])
    expect(all.filter(({ type }) => type === 'output')).toEqual([
      { type: 'output', text: 'empty' },
      { type: 'output', text: 'empty' },
    ])
  })

  it('knows nothing of the steps before it', async () => {
    const steps: Step[] = [
      { title: 'a', apply: sh`cd /tmp; export LEAK=1; set -f; umask 0` },
      { title: 'b', apply: sh`pwd; echo "\${LEAK-none} $(umask) $LC_ALL"` },
    ]
    expect((await events(steps)).flatMap((event) => (event.type === 'output' ? [event.text] : []))).toEqual([
      '/',
      'none 0022 C.UTF-8',
    ])
  })

  it('has a check that sees nothing of the script around it, and leaves nothing to the next', async () => {
    const look = sh`
      test "$#" = 0
      test -z "\${unset_before-}"
      if set | grep -i '^kraft_\(token\|mode\)=' | grep -v '^kraft_mode='; then exit 75; fi
      for name in begin check apply run as line step event; do
        if command -v "$name" | grep -qx "$name"; then echo "sees the function $name"; exit 75; fi
      done
      if [ -e /dev/fd/9 ]; then echo 'holds the lock'; exit 75; fi
      test "$(pwd) $(umask) $-" = "/ 0022 e" || { echo "$(pwd) $(umask) $-"; exit 75; }`
    const leak = sh`cd /tmp; KRAFT_STEP=/nowhere; unset_before=1; kraft_mode=check; kraft_failed=1; set -- x; trap 'exit 1' EXIT; exit 1`
    const steps: Step[] = [
      { title: 'a', check: look, apply: sh`true` },
      { title: 'b', check: leak, apply: sh`true` },
      { title: 'c', check: look, apply: sh`true` },
    ]
    expect(await statuses(steps)).toEqual(['ok', 'changed', 'ok'])
  })

  it('that no shell can read fails alone, with what the shell says', async () => {
    const steps: Step[] = [present('a'), { title: 'b', check: sh`if`, apply: sh`echo begun; fi; } )` }, present('c')]
    expect(await statuses(steps, 'check')).toEqual(['changes', 'maybe', 'changes'])
    expect(await statuses(steps)).toEqual(['changed', expect.stringMatching(/^failed [12]/)])
  })

  it('may leave something running, which keeps nobody waiting', async () => {
    const started = Date.now()
    expect(await statuses([{ title: 'daemon', apply: sh`sleep 20 & echo $! >${`${room}/pid`}` }])).toEqual(['changed'])
    expect(await statuses([present('next')])).toEqual(['changed'])
    expect(Date.now() - started).toBeLessThan(2000)
    await on(`kill $(cat ${room}/pid)`)
  })
})

describe('a step of another user', () => {
  it('is checked and done as that user, in its home and groups, with files that are its own', async () => {
    const mine = sh`id -un; id -Gn; echo "$HOME $USER $LOGNAME"; cat "$KRAFT_STEP/key"; stat -c '%U %a' "$KRAFT_STEP/key"`
    const steps: Step[] = [
      { title: 'a', as: 'nobody', check: sh`test "$(id -un)" = root`, apply: mine, files: { key: secret('hush\n') } },
      { title: 'b', apply: sh`id -un; stat -c %U "$KRAFT_DIR"/0/*` },
    ]
    const said = (await events(steps)).flatMap((event) => (event.type === 'output' ? [event.text] : []))
    expect(said).toEqual([
      'nobody',
      'nogroup',
      '/nonexistent nobody nobody',
      'hush',
      'nobody 600',
      'root',
      ...['nobody', 'nobody', 'nobody'],
    ])
  })

  it('can read neither the script, nor the log, nor the files of other steps, nor write in any folder of them', async () => {
    const look = sh`
      for file in "$KRAFT_DIR/script" "$KRAFT_DIR/log" "$KRAFT_DIR/0.said" "$KRAFT_DIR/0/key" "$KRAFT_DIR/0/kraft-apply"; do
        if cat "$file" 2>/dev/null; then echo "can read $file"; fi
      done
      for folder in /run/kraftwerk "$KRAFT_DIR" "$KRAFT_STEP" "$KRAFT_DIR/0"; do
        if touch "$folder/x" 2>/dev/null; then echo "can write in $folder"; fi
        if ls "$folder" >/dev/null 2>&1; then echo "can list $folder"; fi
      done`
    const steps: Step[] = [
      {
        title: 'secret',
        files: { key: secret('hush'), plain: 'x' },
        check: sh`false`,
        apply: sh`true`,
        notify: [{ name: 'h', apply: sh`true` }],
      },
      { title: 'look', as: 'nobody', apply: look },
    ]
    expect((await events(steps)).filter(({ type }) => type === 'output')).toEqual([])
    await on('rm -r /var/lib/kraftwerk/handlers')
  })

  it('that is not there yet is "maybe" in a dry run, and an error that says so in a run', async () => {
    const steps: Step[] = [present('a'), { title: 'b', as: 'nosuchuser', check: sh`true`, apply: sh`true` }]
    expect(await statuses(steps, 'check')).toEqual(['changes', 'maybe'])
    const all = await events(steps)
    expect(all).toContainEqual({ type: 'output', text: 'there is no user nosuchuser' })
    expect(all).toContainEqual({ type: 'end', step: 1, status: 'failed', detail: '127' })
  })

  it('has a name that is a name', () => {
    expect(() => compile('test', [{ title: 'a', as: '$(id)', apply: sh`true` }])).toThrow('not the name of a user')
  })
})

describe('a step that fails', () => {
  it.each<[string, Step['apply'], number | undefined]>([
    ['its only line', sh`false`, 1],
    ['a line in the middle', sh`\necho a\n\nls /nowhere\necho never`, 4],
    ['a line inside what is conditional', sh`if true; then\n  for x in 1 2; do\n    test "$x" = 1\n  done\nfi`, 3],
    ['a line of a function', sh`f() {\n  true\n  false\n}\n\nf\necho never`, 3],
    ['a line of a subshell', sh`(\n  cd /\n  false\n)\ntrue`, 3],
    ['the end of a substitution', sh`x=$(\n  cd /nowhere\n)\ntrue`, 3],
    ['a line behind a here-document', sh`cat <<EOF\n1\n2\nEOF\nfalse`, 5],
    ['a line, though it cleans up behind itself', sh`trap 'true; test -e /' EXIT\ntrue\nfalse`, 3],
    [
      'a line, though others failed before it where that was fine',
      sh`false || x=$(false) || :\nif false; then :; fi\n! true\nfalse`,
      4,
    ],
    ['no line where it ends by itself', sh`true\nexit 3`, undefined],
    ['no line where only another one failed', sh`(exit 5) || true\nexit 3`, undefined],
  ])('names %s', async (_, apply, line) => {
    const text = apply.text.replaceAll('\\n', '\n')
    const end = (await events([{ title: 'a', apply: new Sh(text) }])).find(({ type }) => type === 'end')
    expect(end).toMatchObject({ status: 'failed' })
    expect(end).toEqual(expect.objectContaining(line === undefined ? { type: 'end' } : { line }))
    if (line === undefined) expect(end).not.toHaveProperty('line')
  })

  it('names it as another user, and shows the command as it is written, without what it expands to', async () => {
    const { line } = notedLine()
    const apply = sh`
      key=$(cat "$KRAFT_STEP/key")
      echo working
      test -z "$key"
    `
    const steps: Step[] = [
      { title: 'Fails', as: 'nobody', files: { key: secret('hush-hush') }, apply },
      present('b'),
      present('c'),
    ]
    const error: unknown = await showSteps(connection, { script: compile('test', steps) }, 'apply', line).catch(
      (reason: unknown) => reason,
    )
    expect(printError(error, { debug: false, color: false })).toBe(
      [
        'error: one: Fails: failed with code 1',
        '  at line 3 of its script: test -z "$key"',
        '  | working',
        'next:  The 2 steps after it did not run. Correct the cause and run the same command again: what is done stays done',
        '',
      ].join('\n'),
    )
  })

  it('names the command before a bracket, which says nothing', async () => {
    const { line } = notedLine()
    const steps: Step[] = [{ title: 'a', apply: new Sh('x=$(\n  cd /nowhere\n)\ntrue') }]
    const error: unknown = await showSteps(connection, { script: compile('test', steps) }, 'apply', line).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ failure: { at: { line: 2, text: 'cd /nowhere' }, left: 0 } })
  })

  it('means the same by its words as any other sh', async () => {
    const apply = sh`echo 'a\tb'; set -- 1 2; echo "$# $@"; false || echo fine; x=$(false) || echo "$?"; kill -l >/dev/null`
    expect((await events([{ title: 'a', apply }])).flatMap((event) => (event.type === 'output' ? [event.text] : []))).toEqual([
      'a\tb',
      '2 1 2',
      'fine',
      '1',
    ])
  })
})

describe('a dry run', () => {
  it('says what would change, what may, and what not, and changes nothing', async () => {
    await on(`touch ${room}/there`)
    const steps: Step[] = [
      present('there'),
      { title: 'unknown so far', check: sh`exit 2`, apply: sh`touch ${`${room}/x`}` },
      present('new', { diff: sh`echo '+new'`, notify: [counter('never')] }),
      { title: 'needs new', check: sh`exit 127`, apply: sh`touch ${`${room}/x`}` },
      { title: 'known', check: sh`exit 1`, apply: sh`touch ${`${room}/x`}` },
      { title: 'waits', quiet: true, apply: sh`touch ${`${room}/x`}` },
      { title: 'not here', check: sh`exit 75`, apply: sh`touch ${`${room}/x`}` },
    ]
    const expected = ['ok', 'changes', 'changes', 'maybe', 'changes', 'ok', 'skipped']
    expect(await statuses(steps, 'check')).toEqual(expected)
    expect(await on(`ls ${room}`)).toBe('there\n')
    expect(await on('ls /var/lib/kraftwerk')).toBe('')
    expect((await events(steps, 'check')).filter(({ type }) => type === 'output')).toEqual([{ type: 'output', text: '+new' }])
  })

  it('is made of the very script that a run is', async () => {
    const steps = [present('a', { files: { content: 'x\n', key: secret('hush') } })]
    const sent: string[] = []
    const spying = onTheWay((bytes) => {
      sent.push(bytes.toString().replace(/^\S+ \w+ /, ''))
      return bytes
    })
    const script = compile('test', steps)
    for (const mode of ['check', 'apply'] as const)
      for await (const event of apply(spying, script, mode)) expect(event).toBeDefined()
    expect(sent).toHaveLength(2)
    expect(sent[0]).toBe(sent[1])
    expect(sent[0]).toContain(script.text)
    expect(sent[0]?.startsWith(script.hash)).toBe(true)
  })
})

describe('output', () => {
  it('cannot pass for a report', async () => {
    const lies = [
      '\x1e end 0 ok',
      '\x1etoken end 0 ok',
      '\x1e000000000000000000000000 finish 0',
      'end 0 failed 9',
      '\x1e$token end 0 ok',
    ]
    const steps: Step[] = [
      { title: 'lies', files: { lies: `${lies.join('\n')}\n` }, apply: sh`cat "$KRAFT_STEP/lies"; env; set; exit 4` },
    ]
    const all = await events(steps)
    expect(all.filter(({ type }) => type !== 'output')).toEqual([
      { type: 'begin', step: 0 },
      { type: 'end', step: 0, status: 'failed', detail: '4' },
      { type: 'finish', ok: false },
    ])
    const said = all.flatMap((event) => (event.type === 'output' ? [event.text] : []))
    expect(said).toEqual(expect.arrayContaining(lies))
    expect(said.join('\n')).not.toMatch(/KRAFT_TOKEN|^token=[0-9a-f]{24}/m)
  })

  it('without a newline at its end, in parts of letters, or much of it comes whole', async () => {
    const steps: Step[] = [
      { title: 'a', apply: sh`printf 'no newline'` },
      { title: 'b', apply: sh`printf '\303'; sleep 0.3; printf '\244\n'` },
      { title: 'c', apply: sh`seq 20000` },
    ]
    const said = (await events(steps)).flatMap((event) => (event.type === 'output' ? [event.text] : []))
    expect(said.slice(0, 2)).toEqual(['no newline', 'ä'])
    expect(said.slice(2)).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)))
  })
})

describe('a handler', () => {
  it('runs once, at the end, and only if something changed', async () => {
    const steps = [present('a', { notify: [counter('once')] }), present('b', { notify: [counter('once'), counter('other')] })]
    const order = (await events(steps)).map(({ type }) => type)
    expect(order).toEqual(['begin', 'end', 'begin', 'end', 'handler', 'handler-end', 'handler', 'handler-end', 'finish'])
    expect(await handled()).toBe('once\nother\n')
    await events(steps)
    expect(await handled()).toBe('once\nother\n')
  })

  it('runs though a later step fails', async () => {
    expect(await statuses([present('a', { notify: [counter('due')] }), { title: 'fails', apply: sh`exit 1` }])).toEqual([
      'changed',
      'failed 1',
    ])
    expect(await handled()).toBe('due\n')
  })

  it('that fails is tried again by the next run', async () => {
    const flaky = {
      name: 'reload it: now',
      apply: sh`test -e ${`${room}/fixed`} || { echo broken; exit 7; }; echo yes >>${`${room}/handled`}`,
    }
    const first = await events([present('a', { notify: [flaky] })])
    expect(first.slice(-4)).toEqual([
      { type: 'handler', name: 'reload it: now' },
      { type: 'output', text: 'broken' },
      { type: 'handler-end', name: 'reload it: now', code: 7 },
      { type: 'finish', ok: false },
    ])
    await on(`touch ${room}/fixed`)
    expect((await events([present('b')])).at(-1)).toEqual({ type: 'finish', ok: true })
    expect(await handled()).toBe('yes\n')
  })

  it('that was due when the run was killed half-way is done by the next run', async () => {
    const steps = [
      present('a', { notify: [counter('survived')] }),
      // The whole group of the script dies, as in a power cut.
      { title: 'killed', apply: sh`kill -9 0; sleep 5` },
    ]
    expect(await failureOf(events(steps))).toMatchObject({
      kind: 'task',
      said: 'one: the steps ended there before all were done',
    })
    expect(await handled()).toBe('')
    await events([present('b')])
    expect(await handled()).toBe('survived\n')
  })
})

describe('a secret', () => {
  it('reaches its step alone: no command line, no log, no file that stays', async () => {
    const key = 'hush-4711-hush'
    const steps: Step[] = [
      {
        title: 'Use it',
        files: { key: secret(key), plain: secret('') },
        apply: sh`
          cat "$KRAFT_STEP/key" >${`${room}/copy`}
          stat -c %a "$KRAFT_STEP/key" "$KRAFT_STEP/plain"
          exec 2>/dev/null
          for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
            if tr '\0' ' ' 2>/dev/null <"$file" | grep -q 'hush-[0-9]*-hush'; then echo "seen in $file"; fi
          done
          if grep -rl 'hush-[0-9]*-hush' "$KRAFT_DIR/script" "$KRAFT_DIR/log"; then echo leaked; fi
        `,
      },
    ]
    const said = (await events(steps)).flatMap((event) => (event.type === 'output' ? [event.text] : []))
    expect(said).toEqual(['600', '600'])
    expect(await on(`cat ${room}/copy`)).toBe(key)
    await sleep(600)
    expect(await on(`grep -rl ${key} /run/kraftwerk --exclude=copy || :`)).toBe('')
  })

  it('that was cut off on its way makes nothing run', async () => {
    const cutting = onTheWay((bytes) => bytes.subarray(0, -12))
    const script = compile('test', [present('a', { files: { key: secret('long and secret') } })])
    const run = async () => {
      for await (const event of apply(cutting, script)) expect(event).toBeUndefined()
    }
    expect(await failureOf(run())).toMatchObject({ kind: 'unreachable', said: 'one: the steps arrived damaged; none ran' })
    expect(await on(`ls ${room}`)).toBe('')
  })
})

it.each([0, 20, 95, 1000, -200, -7, -2])('a script that is cut at byte %i on its way never starts', async (at) => {
  const cutting = onTheWay((bytes) => bytes.subarray(0, at))
  const run = async () => {
    for await (const event of apply(cutting, compile('test', [present('a'), present('b')]))) expect(event).toBeUndefined()
  }
  expect(await failureOf(run())).toMatchObject({ kind: 'unreachable', said: 'one: the steps arrived damaged; none ran' })
  expect(await on(`ls ${room}`)).toBe('')
})

it('a script that is changed on its way never starts', async () => {
  const changing = onTheWay((bytes) => Buffer.from(bytes.toString().replace('touch', 'mkdir')))
  const run = async () => {
    for await (const event of apply(changing, compile('test', [present('a')]))) expect(event).toBeUndefined()
  }
  expect(await failureOf(run())).toMatchObject({ said: 'one: the steps arrived damaged; none ran' })
  expect(await on(`ls ${room}`)).toBe('')
})

describe('a lost connection', () => {
  it('does not stop the script, and the next run waits for it', async () => {
    const losing = node.connect()
    const slow: Step = { title: 'slow', apply: sh`touch ${`${room}/began`}; sleep 3; touch ${`${room}/ended`}` }
    // What it needs is still there when its turn comes.
    const after: Step = {
      title: 'after',
      files: { key: secret('hush') },
      apply: sh`test "$(cat "$KRAFT_STEP/key")" = hush; touch ${`${room}/after`}`,
    }
    const run = async () => {
      for await (const event of apply(losing, compile('test', [slow, after]))) {
        if (event.type === 'begin')
          setTimeout(() => void losing.capture('kill -9 $(cut -d" " -f4 /proc/$$/stat)').catch(() => undefined), 300)
      }
    }
    expect(await failureOf(run())).toMatchObject({
      kind: 'unreachable',
      next: expect.stringContaining('it waits for what still runs'),
    })
    expect(await on(`ls ${room}`)).toBe('began\n')
    const all = await events([{ title: 'next', apply: sh`ls ${room}` }])
    expect(all[0]).toEqual({ type: 'waiting' })
    expect(all.flatMap((event) => (event.type === 'output' ? [event.text] : []))).toEqual(['after', 'began', 'ended'])
  })

  it('while it waits for another run makes it run nothing', async () => {
    const holding = events([{ title: 'holds', apply: sh`touch ${`${room}/holds`}; sleep 4` }])
    while ((await on(`ls ${room}`)) === '') await sleep(50)
    const waiting = node.connect()
    const run = async () => {
      for await (const event of apply(waiting, compile('test', [present('unwanted')]))) {
        if (event.type === 'waiting') await waiting.close()
      }
    }
    await expect(run()).rejects.toThrow()
    await holding
    await sleep(1000)
    expect(await on(`ls ${room}`)).toBe('holds\n')
  })
})

it('two runs at once on one node come one after the other', async () => {
  const slow = (name: string): Step => ({
    title: name,
    apply: sh`echo ${`${name} began`} >>${`${room}/log`}; sleep 0.5; echo ${`${name} ended`} >>${`${room}/log`}`,
  })
  await Promise.all([events([slow('a')]), events([slow('b')])])
  const log = (await on(`cat ${room}/log`)).trim().split('\n')
  expect(log.map((line) => line.split(' ')[1])).toEqual(['began', 'ended', 'began', 'ended'])
})

it('the script is a file of mode 0600 in a folder of its own that goes', async () => {
  const all = await events([
    { title: 'a', apply: sh`echo "$KRAFT_DIR"; stat -c '%a %U' "$KRAFT_DIR" "$KRAFT_DIR/script" "$KRAFT_DIR/log"` },
  ])
  const [folder, ...modes] = all.flatMap((event) => (event.type === 'output' ? [event.text] : []))
  expect(modes).toEqual(['700 root', '600 root', '600 root'])
  await sleep(600)
  expect(await on(`ls -d ${folder} 2>/dev/null || :`)).toBe('')
})

describe('shown on a line', () => {
  it('titles say what changed, skips why, and output stays with its step', async () => {
    const { line, said } = notedLine()
    const steps = [
      present('a', { apply: sh`echo working; touch ${`${room}/a`}` }),
      { title: 'b', check: sh`echo because; exit 75`, apply: sh`true` },
    ]
    const applied = await showSteps(connection, { script: compile('test', steps) }, 'apply', line)
    expect(applied.counts).toMatchObject({ changed: 1, skipped: 1, ok: 0 })
    expect(applied.output).toEqual([['working'], []])
    expect(said).toEqual(expect.arrayContaining(['output working', 'title a (changed)', 'skip b: because']))
  })

  it('a failed step is the error, with its node, code and last lines', async () => {
    const { line } = notedLine()
    const steps: Step[] = [{ title: 'Fails', apply: sh`seq 50; exit 3` }, present('never')]
    const error: unknown = await showSteps(connection, { script: compile('test', steps) }, 'apply', line).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ failure: { kind: 'step', node: 'one', step: 'Fails', code: 3 } })
    expect(error).toMatchObject({ failure: { output: Array.from({ length: 20 }, (_, index) => index + 31).join('\n') } })
  })

  it('a failed handler is the error, with its own output alone', async () => {
    const { line } = notedLine()
    const broken = { name: 'reload', apply: sh`echo no such unit; exit 5` }
    const steps = [present('a', { apply: sh`echo fine; touch ${`${room}/a`}`, notify: [broken] })]
    expect(await failureOf(showSteps(connection, { script: compile('test', steps) }, 'apply', line))).toMatchObject({
      said: 'one: reload: failed with code 5',
    })
    await on('rm /var/lib/kraftwerk/handlers/reload')
  })

  it('nothing to do needs no connection', async () => {
    const { line } = notedLine()
    const dead = node.connect()
    await dead.close()
    expect((await showSteps(dead, { script: compile('test', []) }, 'apply', line)).output).toEqual([])
  })
})

it('sudo that wants a password is said with what to do', async () => {
  // The login is root here, so sudo is played by a program that says what sudo says.
  const refusing = onTheWay((bytes) => bytes, {
    user: 'admin',
    command: (text) => `mkdir -p ~/played
      printf '%s\\n' '#!/bin/sh' 'echo sudo: a password is required >&2; exit 1' >~/played/sudo
      chmod 755 ~/played/sudo; PATH=~/played:$PATH; ${text}`,
  })
  const run = async () => {
    for await (const event of apply(refusing, compile('test', [present('a')]))) expect(event).toBeUndefined()
  }
  expect(await failureOf(run())).toMatchObject({
    kind: 'task',
    said: 'one: admin may not use sudo without a password there',
    next: expect.stringContaining('NOPASSWD'),
  })
})

it('Ctrl-C lets the step end that runs, begins no other, and leaves nothing behind', async () => {
  const steps: readonly Step[] = [
    { title: 'runs', apply: sh`echo begun; sleep 1; : >${room}/finished` },
    { title: 'comes later', apply: sh`: >${room}/later` },
  ]
  const seen: string[] = []
  for await (const event of apply(connection, compile('test', steps))) {
    seen.push(event.type === 'finish' ? `finish ${event.ok}` : event.type === 'begin' ? `begin ${event.step}` : event.type)
    if (event.type === 'output') await stopScripts()
  }
  expect(seen).toEqual(['begin 0', 'output', 'end', 'finish false'])
  expect((await on(`ls ${room}`)).trim()).toBe('finished')
  await expect.poll(() => on('ls /run/kraftwerk')).not.toContain('stop-')
})
