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

test('what comes next is kraft dev, unless there is nothing that it could run', async () => {
  const there = await kraftInTerminal(['init', '--yes'], place())
  await there.sees('Next: kraft dev')
  await there.ended()
  await rm(join(at.project, 'kraftwerk.yaml'))
  await at.write('calculator/app.py', 'from fastapi import FastAPI\napp = FastAPI()\n')
  const none = await kraftInTerminal(['init', '--yes'], place())
  await none.sees('app.py:2: FastAPI speaks ASGI, and kraft serves WSGI')
  await none.ended()
  expect(none.seen()).not.toContain('Next:')
})

test('an empty answer means no domain', async () => {
  const terminal = await answer('\r')
  await terminal.sees('Wrote kraftwerk.yaml')
  expect(await terminal.ended()).toBe(0)
  expect(await stage()).not.toHaveProperty('domain')
})

test('Ctrl-C stops, and nothing is written', async () => {
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

test('a domain that is none is asked for again', async () => {
  const terminal = await answer('not a domain!!\r')
  await terminal.sees('"not a domain!!" is no domain, as stage.calculator.example.com is one')
  await terminal.sees('Domain of stage')
  terminal.type('stage.sums.org\r')
  expect(await terminal.ended()).toBe(0)
  expect(await stage()).toMatchObject({ domain: 'stage.sums.org' })
})
