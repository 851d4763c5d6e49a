import { expect, it } from 'vitest'
import { mysqlAccess, mysqlUrlProblem } from '../../project/mysql-url.js'

const debian = '/etc/ssl/certs/ca-certificates.crt'

it('a server elsewhere must prove who it is, unless the address says otherwise', () => {
  expect(mysqlAccess('mysql://shop:a+b%40c@db.example.com:3307/shop')).toEqual({
    environ: {
      DATABASE_URL: `mysql://shop:a+b%40c@db.example.com:3307/shop?charset=utf8mb4&ssl_ca=${debian}`,
      MYSQL_HOST: 'db.example.com',
      MYSQL_TCP_PORT: '3307',
      MYSQL_USER: 'shop',
      MYSQL_PWD: 'a+b@c',
      MYSQL_DATABASE: 'shop',
      MYSQL_SSL_CA: debian,
    },
    flags: `--ssl-ca=${debian} --ssl-verify-server-cert`,
  })
  expect(mysqlAccess('mysql://a@db/shop', '/own.crt').flags).toContain('--ssl-ca=/own.crt')
  expect(mysqlAccess('mysql://a@db/shop?ssl-ca=/its.crt', '/own.crt').environ).toMatchObject({
    DATABASE_URL: 'mysql://a@db/shop?ssl-ca=/its.crt&charset=utf8mb4',
    MYSQL_SSL_CA: '/its.crt',
  })
})

it.each([
  ['mysql://a@db/d?ssl-mode=REQUIRED', '--ssl'],
  ['mysql://a@db/d?ssl_mode=disabled', ''],
  ['mysql://a@127.0.0.1/d', ''],
])('%s wants %j of a client', (url, flags) => {
  expect(mysqlAccess(url).flags).toBe(flags)
  expect(mysqlAccess(url).environ).not.toHaveProperty('MYSQL_SSL_CA')
})

it.each([
  ['postgresql://a@b/c', 'an address of one server'],
  ['mysql://a:p w@h/d', 'an address of one server'],
  ['mysql://host/shop', 'its user'],
  ['mysql://a:secret@host', 'its database'],
  ['mysql://a:secret@host/a`b', 'its database'],
  ['mysql://a:secret@host/d?ssl-mode=x', 'ssl-mode'],
  ['mysql://a:secret@host/d?ssl_ca=/a;b', 'ssl_ca'],
])('%s is refused without being repeated', (url, why) => {
  const problem = mysqlUrlProblem(url)
  expect(problem).toContain(why)
  expect(problem).not.toContain('secret@')
  expect(mysqlUrlProblem('mysql://shop:x@db.example.com/shop-2')).toBeUndefined()
})
