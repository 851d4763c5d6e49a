import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { kraft } from '../rig/cli.js'
import { freshHome } from '../rig/home.js'
import { kraftInTerminal } from '../rig/terminal.js'

const at = freshHome()
const place = () => ({ cwd: at.project, env: { HOME: at.home } })
const written = () => readFile(join(at.project, 'kraftwerk.yaml'), 'utf8').catch(() => undefined)
const stage = async () => parse((await written()) ?? '').environments.stage

beforeEach(async () => {
  await at.write('calculator/app.py', 'from flask import Flask\napp = Flask(__name__)\n')
  await at.write('calculator/requirements.txt', 'flask\n')
})

async function answer(keys: string) {
  const terminal = await kraftInTerminal(['init'], place())
  await terminal.sees("Domain of stage, as in stage.calculator.example.com (empty: the node's own address)")
  terminal.type(keys)
  return terminal
}

test('on a terminal the domain is asked for, and stands in kraftwerk.yaml', async () => {
  const terminal = await answer(' stage.sums.org \r')
  await terminal.sees('Wrote kraftwerk.yaml')
  expect(await terminal.ended()).toBe(0)
  expect(await stage()).toMatchObject({ domain: 'stage.sums.org' })
})

test('an empty answer means no domain', async () => {
  const terminal = await answer('\r')
  await terminal.sees('Wrote kraftwerk.yaml')
  expect(await terminal.ended()).toBe(0)
  expect(await stage()).not.toHaveProperty('domain')
})

test('what is no domain is an error, and Ctrl-C stops: neither writes anything', async () => {
  const wrong = await answer('stage sums\r')
  await wrong.sees('a domain, as in www.example.com')
  expect([await wrong.ended(), await written()]).toEqual([2, undefined])
  const stopped = await answer('\x03')
  await stopped.sees('Stopped at a question; nothing was changed')
  expect([await stopped.ended(), await written()]).toEqual([130, undefined])
})

test('without a terminal, and with --yes on one, nothing is asked', async () => {
  const { code, stdout } = await kraft(['init'], place())
  expect([code, stdout]).toEqual([0, expect.stringContaining('Wrote kraftwerk.yaml')])
  const text = await written()
  expect(await stage()).not.toHaveProperty('domain')
  await rm(join(at.project, 'kraftwerk.yaml'))
  const terminal = await kraftInTerminal(['init', '--yes'], place())
  expect(await terminal.ended()).toBe(0)
  expect(terminal.seen()).not.toContain('Domain of stage')
  expect(await written()).toBe(text)
})
