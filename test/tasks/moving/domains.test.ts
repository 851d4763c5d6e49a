import { expect, test } from 'vitest'
import type { Instance } from '../../../project/instance.js'
import { dnsAdvice } from '../../../tasks/moving/domains.js'

const advice = (domain: string | undefined, ...ends: [from: string, to: string]) =>
  dnsAdvice({ settings: { domain, aliases: [] } } as unknown as Instance, ...ends)

test('each name is said with where it leads, and where it has to', async () => {
  expect(await advice('localhost', '127.0.0.1', '192.0.2.2')).toEqual([
    'DNS: localhost leads to 127.0.0.1; have it lead to 192.0.2.2',
  ])
  expect(await advice('localhost', '192.0.2.1', '127.0.0.1')).toEqual(['DNS: localhost leads to 127.0.0.1 already'])
  expect(await advice('localhost', '192.0.2.1', '192.0.2.2')).toEqual([
    expect.stringMatching(/^DNS: localhost leads to .*127\.0\.0\.1.*, which is neither node; .* to 192\.0\.2\.2$/),
  ])
  expect(await advice('shop.invalid', '192.0.2.1', '192.0.2.2')).toEqual([
    'DNS: shop.invalid is not found from here; it has to lead to 192.0.2.2',
  ])
  expect(await advice(undefined, '192.0.2.1', '192.0.2.2')).toEqual([expect.stringContaining('It has no domain')])
})
