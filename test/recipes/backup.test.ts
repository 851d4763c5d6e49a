import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { compile } from '../../engine/step/compile.js'
import { render } from '../../engine/template/render.js'
import type { Service } from '../../project/service.js'
import { backup, type NodeBackup } from '../../recipes/backup.js'
import { dumpMembers } from '../../recipes/bundle.js'
import { service as files } from '../../recipes/services/files.js'
import { service as sqlite } from '../../recipes/services/sqlite.js'

const place = { name: 'shop', home: '/web/shop' }
const withData = (service: Service) => (service.data === undefined ? [] : [{ service, data: service.data }])
const services = [sqlite, files].flatMap(withData)
const given: NodeBackup = {
  plan: {
    schedule: '30 3 * * *',
    endpoint: 'https://s3.example.com',
    region: 'us-east-1',
    bucket: 'backups',
    folder: 'shop/live',
    accessKey: 'AKIA1',
    secretKey: secret('hush-hush'),
    keep: { daily: 7, weekly: 4, monthly: 6 },
    encrypt: [],
    notify: [{ webhook: 'https://chat.example.com/hidden-path', on: ['failure'] }],
  },
  keys: { accessKey: 'AKIA1', secretKey: secret('hush-hush') },
  services,
  about: { kraft: '1.0.0', project: 'shop', environment: 'live', instance: 'shop' },
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraftwerk-backup-'))
  for (const path of ['backup/keep.py', 's3/errors.py', 'backup/bundle.py', 'backup/notice.py']) {
    writeFileSync(join(folder, path.split('/')[1] ?? ''), String(render(path)))
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

function python(code: string, input = ''): string {
  const { stdout, stderr, status } = spawnSync('python3', ['-B', '-c', code], { cwd: folder, input, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

describe('retention', () => {
  const kept = (ids: readonly string[], keep: object): readonly string[] =>
    JSON.parse(
      python(
        'import json, sys, keep; ids, most = json.load(sys.stdin); print(json.dumps(sorted(keep.kept(ids, **most))))',
        JSON.stringify([ids, keep]),
      ),
    )
  const id = (time: number) => new Date(time).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  const day = 86_400_000
  const nightly = (from: string, count: number) => Array.from({ length: count }, (_, index) => id(Date.parse(from) + index * day))

  it('keeps the newest of the last days, weeks and months', () => {
    const ids = nightly('2025-11-01T03:30:00Z', 393)
    expect(ids.at(-1)).toBe('20261128-033000')
    expect(kept(ids, { daily: 3, weekly: 3, monthly: 4 })).toEqual(
      // The last days of months; Sundays; the last three days, of which the newest is also that of its week and month.
      ['20260831', '20260930', '20261031', '20261115', '20261122', '20261126', '20261127', '20261128'].map(
        (date) => `${date}-033000`,
      ),
    )
  })

  it('of one day the newest stays, whatever the hour, and of the last 24 hours all', () => {
    const ids = ['20261120-000000', '20261120-120000', '20261120-235959', '20261127-100000', '20261127-120001', '20261128-115959']
    const none = { daily: 0, weekly: 0, monthly: 0 }
    expect(kept([...ids, '20261128-120000'], { ...none, daily: 3 })).toEqual([
      '20261120-235959',
      '20261127-120001',
      '20261128-115959',
      '20261128-120000',
    ])
    expect(kept(ids, none)).toEqual(['20261127-120001', '20261128-115959'])
  })

  it('the newest stays though none is to, and nothing is kept of nothing', () => {
    expect(kept(['20261101-000000', '20261102-000000'], { daily: 0, weekly: 0, monthly: 0 })).toEqual(['20261102-000000'])
    expect(kept([], { daily: 7, weekly: 4, monthly: 6 })).toEqual([])
  })

  it('where none were made for a year, none of those that were goes', () => {
    const ids = nightly('2025-01-01T03:30:00Z', 7)
    expect(kept(ids, { daily: 7, weekly: 0, monthly: 0 })).toEqual(ids)
    expect(kept([...ids, '20261128-033000'], { daily: 7, weekly: 0, monthly: 0 })).toEqual([...ids.slice(1), '20261128-033000'])
  })

  it('what goes night after night is what would go at once', () => {
    const keep = { daily: 7, weekly: 4, monthly: 3 }
    const ids = nightly('2025-12-01T03:30:00Z', 120)
    const held = python(
      `import json, sys, keep
ids, most = json.load(sys.stdin)
held = []
for id in ids: held = sorted(keep.kept([*held, id], **most))
print(json.dumps(held))`,
      JSON.stringify([ids, keep]),
    )
    expect(JSON.parse(held)).toEqual(kept(ids, keep))
  })

  it('weeks go by ISO: the turn of a year does not split one', () => {
    const ids = nightly('2025-12-29T03:30:00Z', 7)
    expect(kept(ids, { daily: 0, weekly: 2, monthly: 0 })).toEqual(['20260104-033000'])
  })
})

describe('who is told', () => {
  it('hears of a failure also where the disk is too full to note it', () => {
    const said = python(`import os, tempfile, notice
folder = tempfile.mkdtemp(dir='.')
# Nothing can be written there.
os.mkdir(f'{folder}/result.json.new')
with open(f'{folder}/since', 'w') as file: file.write('0')
about = {'project': 'shop', 'environment': 'live', 'instance': 'shop'}
settings = {'about': about, 'enter': '/usr/bin/env', 'overdue': 60}
told = f'{folder}/told'
secrets = {'notify': [{'command': f'echo "$KRAFT_TEXT" >>{told}', 'on': ['failure']}]}
note = notice.Notice(folder, settings, secrets)
note.fail('no room', 'one')
note.tell_overdue()
print(open(told).read())`)
    expect(said).toBe('shop live: backup one failed: no room\nshop live: a backup is overdue: there was never one')
  })
})

describe('what comes back from S3', () => {
  const unpack = (code: string) =>
    python(`import io, os, sys, tarfile, hashlib, bundle
out = io.BytesIO()
archive = tarfile.open(fileobj=out, mode='w')
def add(name, content=b'', **more):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in more.items(): setattr(member, key, value)
    archive.addfile(member, io.BytesIO(content))
manifest = b'{}'
seal = (hashlib.sha256(manifest).hexdigest() + '  manifest.json\\n').encode()
${code}
archive.close()
try:
    folder = 'out-' + os.urandom(8).hex()
    bundle.unpack_into(folder, io.BytesIO(out.getvalue()[:50000] if 'cut' in globals() else out.getvalue()))
    print(sorted(os.listdir(folder)))
except bundle.Failed as error:
    print(error)`)
  const whole = "add('manifest.json', manifest); add('sqlite.db', b'data' * 9999); add('manifest.sha256', seal)"

  it('is taken apart', () => expect(unpack(whole)).toBe("['manifest.json', 'manifest.sha256', 'sqlite.db']"))

  it.each([
    [`${whole}; add('../up', b'x')`, "this is no bundle: '../up' is in it"],
    [`${whole}; add('/etc/passwd', b'x')`, "this is no bundle: '/etc/passwd' is in it"],
    [`add('redis.rdb', type=tarfile.SYMTYPE, linkname='/etc/shadow'); ${whole}`, "this is no bundle: 'redis.rdb' is in it"],
    [`${whole}; add('sqlite.db', b'x')`, 'this is no whole bundle: [Errno 17] File exists'],
    ["add('manifest.json', manifest); add('manifest.sha256', b'0' * 64)", 'its manifest is damaged'],
    ["add('manifest.json', manifest)", 'this is no whole bundle'],
    [
      "cut = 1; add('manifest.json', manifest); add('files.tar', os.urandom(99999))",
      'this is no whole bundle: unexpected end of data',
    ],
  ])('%s is refused', (code, said) => expect(unpack(code)).toContain(said))
})

describe('the node', () => {
  const contents = Object.fromEntries(
    backup(place, given).flatMap(({ title, files = {} }) => (files.content === undefined ? [] : [[title, files.content]])),
  )
  const folderOf = '/etc/kraftwerk/shop/backup'

  it('has the very scripts of dump, and keys in a file of their own that no script shows', () => {
    const settings = JSON.parse(String(contents[`File ${folderOf}/settings.json`]))
    expect(settings.dump.steps).toEqual(
      dumpMembers(place, 'backup', services).map(({ title, files = {}, apply }) => ({ title, files, apply: apply.text })),
    )
    expect(settings).toMatchObject({ overdue: 30 * 3600, s3: { folder: 'shop/live' } })
    const { text } = compile('Backups', backup(place, given))
    for (const hidden of ['hush-hush', 'hidden-path']) expect(text).not.toContain(hidden)
  })

  it('what a dry run did not fetch is no change', () => {
    const titles = backup(place, { ...given, keys: undefined }).map(({ title }) => title)
    expect(titles).toContain(`File ${folderOf}/settings.json`)
    expect(titles).not.toContain(`File ${folderOf}/secrets.json`)
  })

  it('needs age only to encrypt', () => {
    const [first] = backup(place, { ...given, plan: { ...given.plan, encrypt: ['age1x'] } })
    expect([backup(place, given)[0]?.title, first?.title]).toEqual(['Package python3-boto3', 'Packages python3-boto3, age'])
  })
})
