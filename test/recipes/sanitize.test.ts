import { expect, it } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import { sanitize } from '../../recipes/sanitize.js'
import { fileService } from '../rig/file-service.js'

const place = { name: 'shop', home: '/web/shop' }
const database = (name: string) => {
  const { service, data } = fileService('/web/shop', name)
  return { service, data: { ...data, copy: () => ({ environ: { PGDATABASE: 'copy' }, sql: sh`psql -d copy` }) } }
}

it('a command finds the copy in its environment, and SQL goes to the database beside', () => {
  const [command, sql] = sanitize(
    place,
    [database('db'), fileService('/web/shop', 'a')],
    [{ name: "manage.py clean 'all of it'" }, { name: 'clean.sql', sql: 'DELETE FROM word' }],
  )
  expect(command?.apply.text).toBe(
    `exec /etc/kraftwerk/shop/enter env PGDATABASE=copy A_FILE=/web/shop/a.beside bash -c 'manage.py clean '\\''all of it'\\'''`,
  )
  expect([sql?.apply.text, sql?.files]).toEqual(['psql -d copy <"$KRAFT_STEP/sql"', { sql: 'DELETE FROM word' }])
})

it('SQL for two databases, or none, is refused on the node before anything is live', () => {
  for (const services of [[], [database('one'), database('two')]]) {
    const [sql] = sanitize(place, services, [{ name: 'clean.sql', sql: '' }])
    expect(sql?.apply.text).toContain(`what is loaded has ${services.length}`)
  }
})

it('SQL has nothing to do where the database is left as it is', () => {
  const uploads = [fileService('/web/shop', 'uploads')]
  const [sql] = sanitize(place, uploads, [{ name: 'clean.sql', sql: 'DELETE' }], [...uploads, database('db')])
  expect(sql?.apply.text).toBe("echo 'No database is loaded: there is nothing to do'")
})

it('a command that would find live data in its environment does not run', () => {
  const { service, data } = database('db')
  const [command] = sanitize(
    place,
    [{ service, data: { ...data, copy: () => ({ sql: sh`psql` }) } }],
    [{ name: 'manage.py clean' }],
  )
  expect(command?.apply.text).toMatch(/^echo 'A command can not be given the copy of db.*exit 1$/)
})
