import { expect, it } from 'vitest'
import { postgresAccess, postgresUrlProblem } from '../../project/postgres-url.js'

it('a server elsewhere must prove who it is, unless the address says otherwise', () => {
  expect(postgresAccess('postgres://shop:a+b%40c@db.example.com:6432/shop')).toEqual({
    DATABASE_URL:
      'postgresql://shop:a+b%40c@db.example.com:6432/shop?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt',
    PGHOST: 'db.example.com',
    PGPORT: '6432',
    PGUSER: 'shop',
    PGPASSWORD: 'a+b@c',
    PGDATABASE: 'shop',
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: '/etc/ssl/certs/ca-certificates.crt',
  })
  expect(postgresAccess('postgresql://shop@db/shop?sslmode=require&x=1')).toMatchObject({
    DATABASE_URL: 'postgresql://shop@db/shop?sslmode=require&x=1',
    PGSSLMODE: 'require',
  })
  expect(postgresAccess('postgresql://shop@db/shop?sslmode=verify-ca', '/a.crt')).toMatchObject({
    DATABASE_URL: 'postgresql://shop@db/shop?sslmode=verify-ca&sslrootcert=/a.crt',
    PGSSLROOTCERT: '/a.crt',
  })
})

it('one on the node itself need not', () => {
  for (const url of ['postgresql://a@localhost/d', 'postgresql://a@[::1]:5433/d', 'postgresql://a@x/d?host=/run/postgresql']) {
    expect(postgresAccess(url)).not.toHaveProperty('PGSSLMODE')
  }
  expect(postgresAccess('postgresql://a@[::1]:5433/d')).toMatchObject({ PGHOST: '::1', PGPORT: '5433' })
  expect(postgresAccess('postgresql://a@x/d?host=/run/postgresql')).toMatchObject({ PGHOST: '/run/postgresql' })
})

it.each([
  ['mysql://a@b/c', 'an address of one server'],
  ['postgresql://a@h1:1,h2:2/d', 'an address of one server'],
  ['postgresql://a:p w@h/d', 'an address of one server'],
  ['postgresql://host/shop', 'its user'],
  ['postgresql://a:secret@host', 'its database'],
  ['postgresql://a:secret@host/a%20b', 'its database'],
])('%s is refused without being repeated', (url, why) => {
  const problem = postgresUrlProblem(url)
  expect(problem).toContain(why)
  expect(problem).not.toContain('secret@')
  expect(postgresUrlProblem('postgresql://shop:x@db.example.com/shop-2')).toBeUndefined()
})
