import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { kraftTakes } from './kraft-takes.js'
import { readPage } from './page-on-nodes.js'

// The workflow of docs/guides/ci.md runs at GitHub alone; what of it can be known here is asked for here.
interface Job {
  readonly environment: string
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': boolean }
  readonly steps: readonly { readonly run?: string; readonly uses?: string; readonly env?: Readonly<Record<string, string>> }[]
}
const { blocks } = await readPage('docs/guides/ci.md')
const text = blocks.flatMap((block) => (block.kind === 'file' && block.path.startsWith('.github/') ? block.text : [])).join('')
const workflow: { permissions: unknown; jobs: Record<string, Job> } = parse(text)
const jobs = Object.entries(workflow.jobs)

test.each(jobs)('each call of kraft in the job %s is one that kraft takes', (name, { steps }) => {
  const calls = steps.flatMap(({ run = '' }) => [...run.matchAll(/\bkraft (.+)$/gm)].map(([, words = '']) => words))
  expect(calls.length, name).toBeGreaterThan(1)
  for (const call of calls) expect(kraftTakes(call.replace(/\s*>.*$/, '')).targets).not.toEqual([])
})

test.each(jobs)('the job %s sees secrets in one step, deploys alone and is not cut off', (name, job) => {
  expect(job.environment).toBe(name)
  expect(job.concurrency).toEqual({ group: `deploy-${name}`, 'cancel-in-progress': false })
  const secretive = job.steps.filter((step) => JSON.stringify(step).includes('secrets.'))
  expect(secretive.map(({ env }) => env)).toEqual([{ DEPLOY_KEY: '${{ secrets.DEPLOY_KEY }}' }])
})

test('it may read the code and nothing else, and trusts no host key that it is shown', () => {
  expect(workflow.permissions).toEqual({ contents: 'read' })
  expect(text).not.toMatch(/StrictHostKeyChecking|ssh-keyscan/)
})
