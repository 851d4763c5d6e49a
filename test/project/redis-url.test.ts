import { expect, it } from 'vitest'
import { redisAccess, redisUrlProblem } from '../../project/redis-url.js'

it('over TLS a server must prove who it is, and redis-cli gets no secret but by its variable', () => {
  expect(redisAccess('rediss://shop:a%40b@redis.example.com/3', '/own.crt')).toEqual({
    url: 'rediss://shop:a%40b@redis.example.com/3?ssl_cert_reqs=required&ssl_ca_certs=/own.crt',
    cli: {
      REDIS_HOST: 'redis.example.com',
      REDIS_PORT: '6379',
      REDIS_DB: '3',
      REDIS_USER: 'shop',
      REDISCLI_AUTH: 'a@b',
      REDIS_FLAGS: '--tls --cacert /own.crt --sni redis.example.com',
    },
    database: 3,
  })
  expect(redisAccess('rediss://:x@10.0.0.9?ssl_cert_reqs=none')).toMatchObject({
    url: 'rediss://:x@10.0.0.9?ssl_cert_reqs=none',
    cli: { REDIS_FLAGS: '--tls --insecure' },
    database: 0,
  })
})

it('without TLS nothing is added', () => {
  expect(redisAccess('redis://[::1]:6380')).toEqual({
    url: 'redis://[::1]:6380',
    cli: { REDIS_HOST: '::1', REDIS_PORT: '6380', REDIS_DB: '0', REDIS_FLAGS: '' },
    database: 0,
  })
})

it.each([
  ['unix:///run/redis.sock', 'an address of one server'],
  ['redis://:secret@/0', 'an address'],
  ['redis://:secret@h/shop', 'number of a database'],
  ['redis://:secret@h?db=3', 'number of a database'],
  ['rediss://:secret@h?ssl_ca_certs=/a;b', 'ssl_ca_certs'],
])('%s is refused without being repeated', (url, why) => {
  const problem = redisUrlProblem(url)
  expect(problem).toContain(why)
  expect(problem).not.toContain('secret@')
  expect(redisUrlProblem('redis://h:6379/1')).toBeUndefined()
})
