import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import type { Place } from '../../project/service.js'
import { endJobs, type Job, jobs } from '../../recipes/jobs.js'
import { runSteps } from '../rig/run-steps.js'

let home: string
let place: Place
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraft-jobs-'))
  await mkdir(join(home, 'dump'))
  place = { name: 'kraft-test-nobody', home }
})
afterEach(() => rm(home, { recursive: true, force: true }))

const job = (title: string, run: Job['run'], files: Job['files'] = {}): Job => ({ title, run, files })
const lasting = () => job('Lasting', sh`echo $$ >${`${home}/pid`}; sleep 300`)
const lastingIsGone = async () => !existsSync(`/proc/${(await readFile(join(home, 'pid'), 'utf8')).trim()}`)

it('jobs of one script run side by side and are waited for by another one, which says what each has said', async () => {
  // Each waits for the other.
  const meet = (own: string, other: string) =>
    sh`: >${`${home}/${own}`}; until [ -e ${`${home}/${other}`} ]; do sleep 0.01; done; cat "\${KRAFT_JOB}word"`
  const { begin, wait } = jobs(place, 'Begin', [
    job('First', meet('a', 'b'), { word: 'one\n' }),
    job('Second', meet('b', 'a'), { word: 'two\n' }),
  ])
  expect(await runSteps(begin)).toMatchObject([{ status: 'ok' }])
  expect(await runSteps(wait)).toMatchObject([
    { title: 'First', status: 'ok', output: 'one' },
    { title: 'Second', status: 'ok', output: 'two' },
  ])
})

it('a job makes files that others may read, as a step does', async () => {
  const { begin, wait } = jobs(place, 'Begin', [job('Umask', sh`umask`)])
  const [, ended] = await runSteps([...begin, ...wait])
  expect(ended).toMatchObject({ status: 'ok', output: '0022' })
})

it('where one fails the others end with it, and nothing of them is left', async () => {
  const broken = job('Broken', sh`until [ -s ${`${home}/pid`} ]; do sleep 0.01; done; echo broken; exit 3`)
  const { begin, wait } = jobs(place, 'Begin', [broken, lasting()])
  const [, ended, ...more] = await runSteps([...begin, ...wait])
  expect([ended, more]).toMatchObject([{ status: 'failed', detail: expect.stringMatching(/^3/), output: 'broken' }, []])
  expect([await lastingIsGone(), existsSync(join(home, 'dump/jobs'))]).toEqual([true, false])
})

it('jobs that nobody wants any more are ended', async () => {
  await runSteps(jobs(place, 'Begin', [lasting()]).begin)
  await expect.poll(() => readFile(join(home, 'pid'), 'utf8').catch(() => '')).toMatch(/\d/)
  expect(await runSteps([{ title: 'End', quiet: true, apply: endJobs(place) }])).toMatchObject([{ status: 'ok' }])
  expect([await lastingIsGone(), existsSync(join(home, 'dump/jobs'))]).toEqual([true, false])
})
