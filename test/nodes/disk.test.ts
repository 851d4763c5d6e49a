import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getuid } from 'node:process'
import { expect, test } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import { decide } from '../../recipes/journal.js'
import { runSteps } from '../rig/run-steps.js'

// What a power cut leaves is what is on the disk, so this one is a file that is copied in that moment. /etc is one of its own, in which
// nothing of this machine is touched.
test('what is about to be switched to is on the disk before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kraft-disk-'))
  const disk = sh`
    cd ${folder}
    truncate -s 32M disk
    mkfs.ext4 -q disk
    mkdir web after
    mount -t tmpfs etc /etc
    mkdir -p /etc/kraftwerk/shop /etc/sv
    mount -o loop disk web
    exec sh -s
  `
  const place = { name: 'shop', home: join(folder, 'web') }
  const release = `${place.home}/releases/20261128-101500`
  const root = getuid?.() === 0 ? [] : ['sudo', '-n']
  try {
    const ended = await runSteps(
      [
        { title: 'Release', apply: sh`mkdir -p ${release}; echo code >${release}/wsgi.py` },
        ...decide({ place, id: '20261128-101500', generation: '20261128-101500' }),
        {
          title: 'Power cut',
          apply: sh`
            cp ${folder}/disk ${folder}/left
            mount -o loop ${folder}/left ${folder}/after
            cat ${folder}/after/releases/20261128-101500/wsgi.py
          `,
        },
      ],
      { command: [...root, 'unshare', '--mount', 'sh', '-ec', disk.text] },
    )
    expect(ended.at(-1)).toEqual({ title: 'Power cut', status: 'changed', detail: '', output: 'code' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
