import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import type { Place } from '../../project/service.js'
import { passingOn, reaches } from '../../recipes/moved.js'
import { ensurePackages } from '../rig/packages.js'
import { runSteps } from '../rig/run-steps.js'

// Certificates of somebody whom nobody knows: root, who signs for it, and the site's.
const certificates = `
openssl req -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=root -keyout root.key -out root.pem
sign() {
  openssl req -nodes -newkey rsa:2048 -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  printf '%s\\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.pem"
}
sign signs root basicConstraints=CA:TRUE
sign shop.test signs subjectAltName=DNS:shop.test
cat shop.test.pem signs.pem >chain.pem
`
const address = '127.77.74.1'
const place: Place = { name: 'shop', home: '/web/shop' }
const given = { address, domain: 'shop.test', tls: true, timeout: 30, staticUrl: '/static/' }

let folder: string
let server: Server
beforeAll(async () => {
  await ensurePackages(['openssl', 'curl'])
  folder = await mkdtemp(join(tmpdir(), 'kraft-moved-'))
  await promisify(execFile)('sh', ['-euc', certificates], { cwd: folder })
  const [cert, key] = await Promise.all(['chain.pem', 'shop.test.key'].map((name) => readFile(join(folder, name))))
  server = createServer({ cert, key }, (_, response) => response.end()).listen(443, address)
  await once(server, 'listening')
})
afterAll(async () => {
  server?.close()
  await rm(folder, { recursive: true, force: true })
})

/** How it goes on a node whose site has this file as its certificate; /etc is a copy. */
async function passesOn(certificate: string, prepare = sh`:`): Promise<readonly (readonly [string, string])[]> {
  const https = '/etc/kraftwerk/shop/https'
  const steps = [
    {
      title: 'Node',
      apply: sh`
        mkdir -p ${https} /etc/kraftwerk/shop/move
        printf 'ssl_certificate %s;\n' ${join(folder, certificate)} >${https}/on.conf
        ${prepare}
      `,
    },
    // Not what is for a nginx, which there is none here.
    ...passingOn(place, given).filter(({ notify, title }) => notify === undefined && !title.startsWith('Directory')),
    ...reaches(place, given, '/'),
  ]
  const own = `mount -t tmpfs none /mnt && mkdir /mnt/up /mnt/work
    mount -t overlay -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work none /etc && exec sh -s`
  return (await runSteps(steps, { command: ['unshare', '--mount', 'sh', '-c', own] })).map(({ status, output }) => [
    status,
    output,
  ])
}

test('a node passes on to another one whose certificate somebody of no fame has signed, who is named in it', async () => {
  expect(await passesOn('chain.pem')).toEqual(['changed', 'changed', 'ok', 'ok'].map((status) => [status, '']))
})

test('a certificate that nginx would not believe is refused before anything moves, with the remedy, which helps', async () => {
  const [, , answers, believed] = await passesOn('shop.test.pem')
  expect([answers?.[0], believed?.[0]]).toEqual(['ok', 'failed'])
  expect(believed?.[1]).toMatch(
    /^nginx on this node would not believe the certificate by which the other one is shop\.test: unable to get local issuer certificate\nPut the certificate of who has signed it into \/usr\/local\/share\/ca-certificates on this node/,
  )
  const known = sh`cat ${join(folder, 'root.pem')} >>/etc/ssl/certs/ca-certificates.crt`
  expect((await passesOn('shop.test.pem', known)).map(([status]) => status)).toEqual(['changed', 'changed', 'ok', 'ok'])
})
