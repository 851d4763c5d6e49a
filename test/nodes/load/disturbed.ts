import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type Header, pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { failure } from '../../rig/cli.js'
import { address, all, inSwap, kraft, left, must, project, put, reached, root, state, story } from '../../rig/depot.js'
import { forgeBundle } from '../../rig/forge-bundle.js'
import { ask } from '../../rig/http.js'
import { call } from '../../rig/kraft.js'
import { cutNetwork } from '../../rig/network-cut.js'
import { cutPower, powerOn } from '../../rig/power-cut.js'
import { startKraft } from '../../rig/running.js'

/** A load that is disturbed at any moment: the live data are those of before, all of them, and the next load works. */
export function disturbedLoads(): void {
  test('the power goes in the middle of a swap: the node comes back with what was live, and the next load works', async () => {
    await root('touch /etc/slow')
    const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
    await reached(running, inSwap)
    expect(await root('cat /web/depot/uploads/word')).toBe('new')
    await cutPower(story, 'one')
    await running.ended
    await powerOn(story, 'one')
    await expect.poll(() => root('ls -d /web/depot/dump/exchange 2>/dev/null || :'), { timeout: 240_000 }).toBe('')
    expect(await state()).toBe(all('old'))
    expect((await ask(address, { host: 'depot.test', path: '/' })).text).toBe('1')
    await root('rm /etc/slow')
    await must('load:stage', 'new.bundle', '--yes', '--wait', '60')
    expect([await state(), await left()]).toEqual([all('new'), ''])
    await put('old')
  })

  test.each([
    ['kraft is killed', async (running: ReturnType<typeof startKraft>) => void running.child.kill('SIGKILL')],
    ['the network is cut', async () => cutNetwork(story, 'one')],
  ])('%s in the middle of a swap: the node ends it alone, and the next load works', async (_, disturb) => {
    await root('touch /etc/slow')
    const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
    await reached(running, inSwap)
    const mend = await disturb(running)
    await running.ended
    await mend?.()
    expect(await root(`if ${inSwap}; then echo there; fi`)).toBe('there')
    await root('rm /etc/slow')
    await expect.poll(() => root('ls -d /web/depot/dump/exchange 2>/dev/null || :'), { timeout: 240_000 }).toBe('')
    expect(await state()).toBe(all('new'))
    await put('old')
  })

  test('kraft is killed while it sends: what is loaded meanwhile ends with it, and the next load works', async () => {
    // Nothing arrives.
    await root(`printf '%s\n' '#!/bin/sh' 'while [ -e /etc/slow-tar ]; do sleep 0.1; done' 'exec /usr/bin/tar "$@"' >/usr/local/bin/tar
    chmod +x /usr/local/bin/tar; touch /etc/slow-tar`)
    const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
    await reached(running, 'pgrep -f "[d]ump/jobs/lead" && pgrep -f "[/]usr/local/bin/tar -x"')
    running.child.kill('SIGKILL')
    await running.ended
    await expect.poll(() => root('pgrep -f "[d]ump/jobs" || :'), { timeout: 60_000 }).toBe('')
    await root('rm /usr/local/bin/tar /etc/slow-tar')
    expect(await state()).toBe(all('old'))
    await must('load:stage', 'new.bundle', '--yes', '--wait', '60')
    expect([await state(), await left()]).toEqual([all('new'), ''])
    await put('old')
  })

  test('the database dies, or the disk is full, while data are loaded beside: what is live stays, and the next load works', async () => {
    await root('touch /etc/slow-beside')
    const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
    await reached(running, '[ -e /web/depot/slow.beside ]')
    await root('pkill -KILL -u postgres; systemctl stop postgresql@15-main; rm /etc/slow-beside')
    const { code, stderr } = await running.ended
    expect([code, failure(stderr)]).toEqual([
      1,
      expect.stringMatching(/(Load postgres beside the live data|Put the former data away): failed/),
    ])
    await root('systemctl start postgresql@15-main')
    expect(await state()).toBe(all('old'))

    await root('cp -a /web /root/kept; mount -t tmpfs -o size=400m tmpfs /web; cp -a /root/kept/. /web/; echo 1 >/etc/fill')
    const full = await kraft('load:stage', 'new.bundle', '--yes')
    expect([full.code, failure(full.stderr)]).toEqual([
      1,
      expect.stringContaining('It becomes larger than the room that there is'),
    ])
    expect([await state(), await left()]).toEqual([all('old'), ''])
    await root('rm /etc/fill; umount -l /web')
    await must('load:stage', 'new.bundle', '--yes')
    expect([await state(), await left()]).toEqual([all('new'), ''])
    await put('old')
  })

  test('what is not what it says it is, though all sums are right, is refused with its reason, and every byte that is live stays', async () => {
    const live = () =>
      root(`cd /web/depot
      { runuser -u depot -- pg_dump depot | grep -v restrict
        find uploads slow.live -printf '%p %y %m %u %s %l\\n' | sort; find uploads slow.live -type f -exec sha256sum {} +
        ls -A . home dump; ls /etc/cron.d; } | sha256sum`)
    const before = await live()
    const shell = async (script: string) => (await call('sh', ['-ec', script], { cwd: project, env: story.env })).bytes
    const dumped = await shell('tar -xOf new.bundle postgres.dump.zst')
    const archive = (...entries: readonly Partial<Header>[]) => {
      const made = pack()
      for (const header of entries) made.entry({ name: 'word', ...header }, header.type === undefined ? 'new\n' : '')
      made.finalize()
      return buffer(made)
    }
    for (const [file, content, why] of [
      ['postgres.dump.zst', dumped.subarray(0, dumped.length / 2), /too short|end of file|could not read/],
      // A bomb, which nobody unpacks to its end.
      ['postgres.dump.zst', await shell('head -c 4G /dev/zero | zstd -q -1'), /not appear to be a valid archive/],
      ['files.tar', await archive({ name: '../home/.profile' }), /\.\.\/home\/\.profile: Member name contains '\.\.'/],
      ['files.tar', await archive({ name: '/etc/cron.d/x' }), /It names a path outside: \/etc\/cron\.d\/x/],
      [
        'files.tar',
        await archive({ name: 'out', type: 'symlink', linkname: '/web/depot/home' }, { name: 'out/.profile' }),
        /out\/\.profile: Cannot open/,
      ],
    ] as const) {
      await forgeBundle(join(project, 'new.bundle'), join(project, 'forged.bundle'), () => undefined, { [file]: content })
      const only = file === 'files.tar' ? 'files' : 'postgres'
      const { code, stderr } = await kraft('load:stage', 'forged.bundle', '--only', only, '--yes')
      expect([code, stderr]).toEqual([1, expect.stringMatching(why)])
    }
    expect([await live(), await left()]).toEqual([before, ''])
  })

  test('visitors who come while data are swapped miss that moment alone', async () => {
    // When the journal of the swap was there, in milliseconds.
    await root(`systemd-run --quiet --unit watch sh -c '
    until [ -e /web/depot/dump/exchange ]; do sleep 0.005; done; date +%s%3N >/root/moment
    while [ -e /web/depot/dump/exchange ]; do sleep 0.005; done; date +%s%3N >>/root/moment'`)
    let stop = false
    let served = 0
    const failed: (readonly [began: number, ended: number])[] = []
    const visitors = (async () => {
      while (!stop) {
        const began = Date.now()
        const { status } = await ask(address, { host: 'depot.test', path: '/' })
        if (status === 200) served += 1
        else failed.push([began, Date.now()])
        await pause(20)
      }
    })()
    await must('load:stage', 'new.bundle', '--yes')
    stop = true
    await visitors
    const [first = 0, last = 0] = (await root('cat /root/moment')).split('\n').map(Number)
    expect(last).toBeGreaterThan(first)
    expect(failed.filter(([began, ended]) => ended < first - 50 || began > last + 50)).toEqual([])
    expect(served).toBeGreaterThan(failed.length)
    await put('old')
  })
}
