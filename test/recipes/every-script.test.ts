import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { sh } from '../../engine/shell/sh.js'
import { compile } from '../../engine/step/compile.js'
import type { Step } from '../../engine/step/step.js'
import { apt } from '../../recipes/apt.js'
import { noBackup } from '../../recipes/backup.js'
import { bootstrap } from '../../recipes/bootstrap.js'
import { cron } from '../../recipes/cron.js'
import { absent, directory, file, link } from '../../recipes/file.js'
import { firewall } from '../../recipes/firewall.js'
import { leftServices } from '../../recipes/left-services.js'
import { locale } from '../../recipes/locale.js'
import { openSite } from '../../recipes/maintenance.js'
import { mariadb } from '../../recipes/mariadb.js'
import { memory } from '../../recipes/memory.js'
import { nginx, reloadNginx, restartNginx } from '../../recipes/nginx.js'
import { ownServer } from '../../recipes/own-server.js'
import { postgres } from '../../recipes/postgres.js'
import { postgresTuning } from '../../recipes/postgres-tuning.js'
import { processes } from '../../recipes/processes.js'
import { python } from '../../recipes/python.js'
import { rabbitmq } from '../../recipes/rabbitmq.js'
import { redis } from '../../recipes/redis.js'
import { confirmSteps } from '../../recipes/revert.js'
import { runit, runitService } from '../../recipes/runit.js'
import { rememberCounts } from '../../recipes/scale.js'
import { servicePort } from '../../recipes/service-ports.js'
import { sshd } from '../../recipes/sshd.js'
import { staticBucket } from '../../recipes/static-bucket.js'
import { start, stop } from '../../recipes/stopped.js'
import { swap } from '../../recipes/swap.js'
import { running } from '../../recipes/systemd.js'
import { template } from '../../recipes/template.js'
import { time } from '../../recipes/time.js'
import { unattendedUpgrades } from '../../recipes/unattended-upgrades.js'
import { member, systemUser } from '../../recipes/user.js'
import { web } from '../../recipes/web.js'

const place = { name: 'shop', home: '/web/shop' }
const odd = `it's "$HOME" \`odd\``
const shop = { name: 'shop', home: '/web/shop' }
const cases: Readonly<Record<string, readonly Step[]>> = {
  apt: apt('nginx', 'g++', 'libmagic1t64|libmagic1'),
  absent: absent(`/tmp/${odd}`),
  bootstrap: bootstrap({ sshPort: 22 }).flatMap(({ steps, confirm = [] }) => [...steps, ...confirm]),
  'confirm the changes': confirmSteps(),
  'no backups': noBackup(place),
  cron: cron(place, { nightly: { schedule: '@daily', command: odd } }),
  directory: directory({ path: `/tmp/${odd}`, owner: 'web' }),
  file: file({ path: `/tmp/${odd}`, content: `${odd}\n`, validate: sh`visudo -cf "$KRAFT_FILE"`, notify: [reloadNginx] }),
  'file with a secret': file({ path: '/etc/a', content: secret('hush') }),
  firewall: firewall({ sshPort: 2222, ports: [8080], seconds: 5 }),
  'end of maintenance': openSite(shop),
  link: link({ path: `/tmp/${odd}`, to: odd }),
  locale: locale(),
  'left services': leftServices(place, ['redis', 'files']),
  mariadb: mariadb(),
  memory: memory(place, 2),
  'a server of its own': ownServer(place, { service: 'redis', command: 'redis-server', answers: sh`true` }),
  member: member({ user: 'www-data', group: 'calculator', notify: [restartNginx] }),
  nginx: nginx(),
  postgres: postgres(),
  'the memory of PostgreSQL': postgresTuning(),
  processes: processes(
    place,
    { worker: { command: odd, count: 2, memory: 2 ** 26, stop: 5 }, mail: { command: 'send', count: 0 } },
    { patience: 30, restart: false },
  ),
  python: python(),
  rabbitmq: rabbitmq(),
  redis: redis(),
  running: running('cron.service'),
  'remembered counts': rememberCounts(place, ['web', 'worker'], { web: 3 }),
  runit: runit(),
  runitService: runitService({
    name: 'app',
    run: '#!/bin/sh\nexec sleep 9\n',
    finish: '#!/bin/sh\n',
    log: { directory: '/var/log/app' },
  }),
  sshd: sshd({ seconds: 5 }),
  'a port of a service': servicePort(place, 'postgres', 5432, ['10.0.0.1', 'fd00::1']),
  'static files in a bucket': staticBucket(place, {
    bucket: {
      endpoint: undefined,
      region: 'us-east-1',
      bucket: 'shop-static',
      folder: 'shop/live',
      accessKey: odd,
      secretKey: secret('hush'),
      public: true,
      prune: 90,
    },
    keys: { accessKey: odd, secretKey: secret('hush') },
    url: '/static/',
    packageStatic: odd,
    cache: {},
  }),
  start: start(
    { place: shop, id: '20261128-010203', generation: '20261128-010203' },
    { health: { path: '/', status: [], timeout: 1, tries: 2 }, host: { name: odd, scheme: 'https' }, web: true, patience: 5 },
  ),
  stop: stop(shop, 5),
  swap: swap(512),
  systemUser: systemUser({ name: 'calculator', home: '/web/calculator' }),
  template: template('nginx/nginx.conf', { to: '/etc/nginx/nginx.conf' }),
  time: time(),
  unattendedUpgrades: unattendedUpgrades(),
  web: web(),
}

function syntax(script: string): string {
  const { stderr, status } = spawnSync('dash', ['-n'], { input: script, encoding: 'utf8' })
  return status === 0 ? '' : stderr
}

describe.each(Object.entries(cases))('%s', (_, steps) => {
  it('has only scripts that dash can parse', () => {
    const scripts = steps.flatMap((step) => [
      step.check,
      step.apply,
      step.diff,
      ...(step.notify ?? []).map((handler) => handler.apply),
      step.files?.restore,
    ])
    for (const script of scripts) if (script !== undefined) expect(syntax(String(script)), String(script)).toBe('')
  })

  it('compiles to one script that dash can parse', () => {
    expect(syntax(compile('test', steps).text)).toBe('')
  })

  it('can tell each time whether there is anything to do, and says what', () => {
    for (const step of steps) {
      expect(step.check, step.title).toBeDefined()
      expect(step.title).not.toBe('')
    }
  })

  it('leaves stdin, bash and other shells alone', () => {
    for (const step of steps)
      expect([step.check, step.apply, step.diff].join('\n')).not.toMatch(
        /\[\[ |<<<|\bsource\b|(^|[;{(]) *local |undefined|\[object/,
      )
  })
})
