import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node } from '../../../engine/node/node.js'
import { lockNode } from '../../../engine/node/node-lock.js'
import { sh } from '../../../engine/shell/sh.js'
import { failureOf } from '../../rig/failure.js'
import { type Loopback, notedLine, startLoopback } from '../../rig/loopback.js'

let loopback: Loopback
let node: Node

beforeAll(async () => {
  loopback = await startLoopback()
  node = loopback.node()
})
afterAll(() => loopback.stop())

describe('the lock of an instance', () => {
  it('is held by one at a time, who is named to others', async () => {
    const held = await lockNode(node, 'shop', 'ann@laptop')
    const told = await failureOf(lockNode(loopback.node(), 'shop', 'bob@desk'))
    expect(told).toMatchObject({ kind: 'task', next: expect.stringContaining('within 20 seconds') })
    expect(told.said).toMatch(/^one: somebody else is changing shop now: ann@laptop, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
    const other = await lockNode(node, 'other', 'bob@desk')
    await Promise.all([held.release(), other.release()])
  })

  it('is free again when it is given back, and its number grows each time', async () => {
    const numbers: number[] = []
    for (let round = 0; round < 3; round++) {
      const held = await lockNode(node, 'numbers', 'ann')
      numbers.push(Number(held.number))
      expect((await node.read(`cat ${held.file}`)).trim()).toBe(held.number)
      await held.release()
      await held.release()
    }
    expect(numbers).toEqual([1, 2, 3])
  })

  it('goes with the process that holds it', async () => {
    const dying = loopback.node()
    const held = await lockNode(dying, 'shop', 'ann')
    await dying.connection.capture('kill -9 $(cut -d" " -f4 /proc/$$/stat)').catch(() => undefined)
    for (let attempt = 0; ; attempt++) {
      const next = await lockNode(node, 'shop', 'bob').catch(() => undefined)
      if (next !== undefined) {
        // Whoever lost it has an older number, which the switch refuses.
        expect(Number(next.number)).toBeGreaterThan(Number(held.number))
        expect((await node.read(`cat ${held.file}`)).trim()).not.toBe(held.number)
        await next.release()
        break
      }
      expect(attempt).toBeLessThan(50)
      await sleep(100)
    }
    await held.release()
  })

  it('stays held while a script of its holder runs, though that one is gone, and by nothing that the script leaves', async () => {
    const dying = loopback.node()
    const held = await lockNode(dying, 'script', 'ann')
    const steps = [{ title: 'Long', apply: sh`sleep 60 & echo $! >/run/kraftwerk/left; touch /run/kraftwerk/runs; sleep 3` }]
    const running = dying.apply('Long', steps, notedLine().line).catch(() => undefined)
    await node.read('until [ -e /run/kraftwerk/runs ]; do sleep 0.1; done')
    await held.release()
    // Whoever comes next waits for it unasked: nobody is there who could be asked to end it.
    const waited: string[] = []
    const next = await lockNode(node, 'script', 'bob', { tell: (holder) => waited.push(holder) })
    expect(waited).toEqual([expect.stringMatching(/^ann, since .*, whose kraft has ended: what it began there goes on$/)])
    await running
    await next.release()
    await node.read('kill $(cat /run/kraftwerk/left)')
  })

  it('that was given back is not told to be held by what goes on, by whoever tried to take it just before', async () => {
    const held = await lockNode(node, 'ending', 'ann')
    // Whoever wants to know who holds it reads this file, and goes on reading until it is given back.
    const holder = '/var/lib/kraftwerk/locks/ending.holder'
    await node.read(`rm ${holder} && mkfifo ${holder}`)
    const waited: string[] = []
    const next = lockNode(loopback.node(), 'ending', 'bob', { seconds: 60, tell: (each) => waited.push(each) })
    await node.read(
      `exec 3>${holder}; rm ${holder}; (exec >/dev/null 2>&1; until [ -e ${holder}.go ]; do sleep 0.1; done; echo 'ann, since noon' >&3) &`,
    )
    await held.release()
    await node.read(`touch ${holder}.go`)
    await (await next).release()
    expect(waited).toEqual(['ann, since noon'])
  })

  it('that is lost lets no script of its former holder begin', async () => {
    const held = await lockNode(node, 'lost', 'ann')
    await node.read(`echo 99 >${held.file}; echo 'bob, since noon' >${held.file}.holder`)
    const steps = [{ title: 'Late', apply: sh`touch /run/kraftwerk/late` }]
    expect(await failureOf(node.apply('Late', steps, notedLine().line))).toMatchObject({
      kind: 'task',
      said: 'one: somebody else took over lost while this kraft was away: bob, since noon',
    })
    expect(await node.read('ls /run/kraftwerk/late 2>/dev/null || echo none')).toBe('none\n')
    await held.release()
    await node.apply('Late', steps, notedLine().line)
    expect(await node.read('ls /run/kraftwerk/late')).toContain('late')
  })

  it('stays held by a kraft that says nothing else', async () => {
    const held = await lockNode(node, 'quiet', 'ann')
    await sleep(6000)
    expect((await failureOf(lockNode(node, 'quiet', 'bob'))).said).toContain('ann, since')
    await held.release()
  })

  it.each([
    ['disk', 'head -c 1M /dev/zero >full 2>/dev/null || :'],
    ['file system that has no inodes left', 'i=0; while touch "full$((i += 1))" 2>/dev/null; do :; done'],
  ])('on a full %s is refused as that, and stays as it was', async (_, fill) => {
    const locks = '/var/lib/kraftwerk/locks'
    await node.read(`mkdir -p ${locks} && mount -t tmpfs -o size=64k,nr_inodes=16 tmpfs ${locks}`)
    try {
      await (await lockNode(node, 'full', 'ann')).release()
      await node.read(`cd ${locks}; ${fill}`)
      const before = await node.read(`cd ${locks}; ls -A; cat full full.holder`)
      for (const name of ['full', 'new']) {
        const failed: unknown = await lockNode(node, name, 'bob').catch((error: unknown) => error)
        expect(failed).toHaveProperty('message', `one: the disk is full that ${locks} is on, so nothing was changed`)
        expect(failed).toHaveProperty('failure', {
          kind: 'task',
          node: 'one',
          message: expect.any(String),
          output: expect.stringMatching(/^tmpfs .* 100% /m),
          next: expect.stringContaining('Remove what is not needed there'),
        })
      }
      expect(await node.read(`cd ${locks}; rm -f new.held; ls -A; cat full full.holder`)).toBe(before)
    } finally {
      await node.read(`umount -l ${locks}`)
    }
  })

  it('that cannot be taken at all is told as what it is', async () => {
    await node.read('rm -rf /var/lib/kraftwerk/locks && touch /var/lib/kraftwerk/locks')
    expect(await failureOf(lockNode(node, 'shop', 'ann'))).toMatchObject({
      kind: 'command',
      said: 'one: lock shop: ended with code 98',
    })
    await node.read('rm /var/lib/kraftwerk/locks')
  })
})
