import { safeParse } from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addressService, ownRange } from '../../../../recipes/providers/cloud/own-address.js'
import { type AddressService, startAddressService } from '../../../rig/address-service.js'
import { kraftErrorOf } from '../../../rig/failure.js'
import { freePort } from '../../../rig/sshd.js'

let service: AddressService
beforeAll(async () => {
  service = await startAddressService()
})
afterAll(() => service?.stop())

test('is a range of one address', async () => {
  service.says = '203.0.113.7\n'
  expect(await ownRange('one', service.url)).toBe('203.0.113.7/32')
})

test.each([
  ['', 'nothing'],
  ['203.0.113.7/24', '"203.0.113.7/24"'],
  ['203.0.113.256', '"203.0.113.256"'],
  ['203.0.113.07', '"203.0.113.07"'],
  ['203.0.113.7 198.51.100.9', '"203.0.113.7 198.51.100.9"'],
  ['0.0.0.0', '"0.0.0.0"'],
  ['2001:db8::7', '"2001:db8::7"'],
  [`<html>\n<body>${'Log in. '.repeat(20)}`, '"<html> <body>Log in. Log in. Log in. Log in. Log in. Log in.…"'],
])('%j is no address', async (said, shown) => {
  service.says = said
  const { message } = await kraftErrorOf(ownRange('one', service.url))
  expect(message).toBe(
    `one: allow_ssh is mine, and the address that you come from is not known: ${service.url} answered with no IPv4 address: ${shown}`,
  )
})

test('a service that is broken, or not there, is named with what to do', async () => {
  service.says = undefined
  const broken = (await kraftErrorOf(ownRange('one', service.url))).failure
  expect(broken).toMatchObject({
    kind: 'task',
    node: 'one',
    message: expect.stringMatching(/is not known: http:\S+ did not answer: status 503$/),
    next: expect.stringMatching(/--set allow_ssh=203\.0\.113\.7\/32, or name another such service: address_service/),
  })
  const nowhere = `http://127.0.0.1:${await freePort()}/`
  expect((await kraftErrorOf(ownRange('one', nowhere))).message).toMatch(/did not answer: connect ECONNREFUSED/)
})

test('is asked over TLS, where nobody in between can name an address of their own', () => {
  const takes = (url: string) => safeParse(addressService, url).success
  expect(['https://checkip.amazonaws.com', 'http://127.0.0.1:8080/', 'http://localhost/'].map(takes)).toEqual([true, true, true])
  expect(['http://checkip.amazonaws.com', 'http://127.0.0.1.example.com/', 'ftp://x', 'mine'].map(takes)).toEqual([
    false,
    false,
    false,
    false,
  ])
})
