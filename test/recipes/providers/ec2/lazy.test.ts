import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePort } from '../../../rig/ec2-node.js'

const run = promisify(execFile)

// A process of its own: what this one has loaded says nothing. jiti loads TypeScript as the kraftfile's loader does.
const script = `
  const { createRequire } = await import('node:module')
  const { createJiti } = await import('jiti')
  const require = createRequire(process.argv[1])
  const heavy = () => Object.keys(require.cache).filter((file) => /node_modules.(@aws-sdk|@smithy|ssh2|listr2|zx|ejs)./.test(file)).length
  const { provider } = await createJiti(process.argv[1], { fsCache: false }).import(process.argv[1])
  const before = heavy()
  const settings = { user: 'AKIATEST', secret: 'secret', location_id: 'eu-west-1', endpoint: process.argv[2] }
  const says = await provider.describe({ name: 'one', id: 'i-1' }, settings).catch((error) => error.message)
  console.log(JSON.stringify({ before, after: heavy(), says }))
`

test('importing the provider loads neither the AWS SDK nor ssh2, using it does', { timeout: 60_000 }, async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const file = resolve('recipes/providers/ec2.ts')
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script, '--', file, endpoint])
  const { before, after, says } = JSON.parse(stdout)
  expect(before).toBe(0)
  expect(after).toBeGreaterThan(10)
  expect(says).toContain('did not answer')
  expect(stderr).toBe('')
})
