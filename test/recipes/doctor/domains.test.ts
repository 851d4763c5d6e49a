import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Find, inTheDns, lookAt } from '../../../recipes/doctor/domains.js'

/** What the name server of this test knows. */
const zone: Readonly<Record<string, readonly string[]>> = {
  'shop.example.com': ['203.0.113.7'],
  'both.example.com': ['203.0.113.7', '198.51.100.9'],
  'cdn.example.com': ['198.51.100.9', '198.51.100.10'],
}
let server: Socket
let find: Find

beforeAll(async () => {
  server = createSocket('udp4')
  server.on('message', (question, { port, address }) => server.send(answer(question), port, address))
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([`127.0.0.1:${server.address().port}`])
  find = inTheDns(resolver)
})
afterAll(() => void server.close())

/** An answer in the format of RFC 1035: A records of the zone, no AAAA, and nothing is known of other names. */
function answer(question: Buffer): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const type = question.readUInt16BE(at + 1)
  const name = labels.join('.')
  if (name === 'broken.example.com') return header(question, 0x8182, 0, at + 5)
  const known = zone[name]
  if (known === undefined) return header(question, 0x8183, 0, at + 5)
  const records = type === 1 ? known : []
  return Buffer.concat([header(question, 0x8180, records.length, at + 5), ...records.map(record)])
}

function header(question: Buffer, flags: number, answers: number, end: number): Buffer {
  const bytes = Buffer.from(question.subarray(0, end))
  for (const [offset, value] of [flags, 1, answers, 0, 0].entries()) bytes.writeUInt16BE(value, 2 + offset * 2)
  return bytes
}

function record(address: string): Buffer {
  return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
}

const ours = ['203.0.113.7', '2001:db8::7']

it('a name that leads to the node is well', async () => {
  expect(await lookAt('shop.example.com', ours, find)).toEqual({
    about: 'shop.example.com',
    said: 'leads to 203.0.113.7',
    findings: [],
  })
})

it('a name without an address needs a hand, with the records to add', async () => {
  expect((await lookAt('none.example.com', ours, find)).findings).toEqual([
    {
      level: 'error',
      what: 'It has no address',
      next: 'Add it where the domain is kept: none.example.com A 203.0.113.7, none.example.com AAAA 2001:db8::7',
    },
  ])
})

it('an address beside that of the node needs a hand', async () => {
  const [finding] = (await lookAt('both.example.com', ours, find)).findings
  expect(finding?.level).toBe('error')
  expect(finding?.what).toBe('It leads to 198.51.100.9 as well, which is none of its nodes: some visitors come there')
})

it('what leads elsewhere may be a CDN', async () => {
  const [finding] = (await lookAt('cdn.example.com', ours, find)).findings
  expect(finding?.level).toBe('warning')
  expect(finding?.next).toMatch(/^If no CDN or load balancer is there/)
})

it('a name server that fails is no word on the name', async () => {
  const [finding] = (await lookAt('broken.example.com', ours, find)).findings
  expect(finding).toMatchObject({ level: 'warning', what: 'The DNS did not tell where it leads (ESERVFAIL)' })
})
