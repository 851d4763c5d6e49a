import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { hostsFile, removeHostsLine, withHostsLine, writeHostsLine } from '../../../engine/node/hosts.js'
import { failureOf, freshHome } from '../../rig/home.js'

const home = freshHome()
const others = '127.0.0.1\tlocalhost\n10.0.0.1 one # mine, not kraft\n10.0.0.2 one.example.com # kraft\n'
let file: string

beforeEach(async () => {
  file = await home.write('hosts', others)
  process.env.KRAFT_HOSTS_FILE = file
})
const text = () => readFile(file, 'utf8')

it('is the file of this machine where no other is named', () => {
  expect(hostsFile()).toBe(file)
  delete process.env.KRAFT_HOSTS_FILE
  expect(hostsFile()).toBe('/etc/hosts')
})

describe('a line for a node', () => {
  it('comes at the end, and goes again without a trace', async () => {
    await writeHostsLine('one', '10.78.1.2')
    expect(await text()).toBe(`${others}10.78.1.2 one # kraft\n`)
    await removeHostsLine('one')
    expect(await text()).toBe(others)
    expect(await readdir(home.home)).toEqual(['.kraftwerk', 'calculator', 'hosts'])
    expect(await readdir(join(home.home, '.kraftwerk'))).toEqual([])
  })

  it('replaces our older one, and no one of others', async () => {
    await writeHostsLine('one', '10.78.1.2')
    await writeHostsLine('one', '10.78.1.3')
    await writeHostsLine('two', 'fd00::1')
    expect(await text()).toBe(`${others}10.78.1.3 one # kraft\nfd00::1 two # kraft\n`)
  })

  it('goes with the lines that we gave to its address, and no one of others', async () => {
    await writeHostsLine('one', '10.0.0.1')
    await writeHostsLine('shop.example.com', '10.0.0.1')
    await writeHostsLine('two', '10.0.0.11')
    await removeHostsLine('one', '10.0.0.1')
    expect(await text()).toBe(`${others}10.0.0.11 two # kraft\n`)
  })

  it('is lost by nobody who writes at the same moment', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `n${index}`)
    await Promise.all(names.map((name, index) => writeHostsLine(name, `10.78.1.${index}`)))
    for (const [index, name] of names.entries()) expect(await text()).toContain(`10.78.1.${index} ${name} # kraft\n`)
  })

  it('that cannot be taken out is told, to be taken out by hand', async () => {
    await writeHostsLine('one', '10.78.1.2')
    await symlink('/nowhere/at/all', `${file}.kraft`)
    expect(await failureOf(removeHostsLine('one'))).toMatchObject({ next: 'Take out of it: 10.78.1.2 one # kraft' })
  })

  it('is not written for what has no address', async () => {
    await writeHostsLine('one', 'ec2-1-2-3-4.compute.amazonaws.com')
    expect(await text()).toBe(others)
  })

  it('keeps the file the same file, with its mode', async () => {
    await chmod(file, 0o640)
    const { stat } = await import('node:fs/promises')
    const before = await stat(file)
    await writeHostsLine('one', '10.78.1.2')
    const after = await stat(file)
    expect([after.ino, after.mode]).toEqual([before.ino, before.mode])
  })

  it('fits into a file that is longer than an argument can be', async () => {
    const long = Array.from({ length: 60_000 }, (_, index) => `0.0.0.0 advert-${index}.example.com`).join('\n')
    await writeFile(file, `${long}\n`)
    await writeHostsLine('one', '10.78.1.2')
    expect(await text()).toBe(`${long}\n10.78.1.2 one # kraft\n`)
  })

  it('that cannot be written is told, to be written by hand', async () => {
    process.env.KRAFT_HOSTS_FILE = home.project
    await expect(writeHostsLine('one', '10.78.1.2')).rejects.toThrow()
    process.env.KRAFT_HOSTS_FILE = '/proc/version'
    const failure = await failureOf(writeHostsLine('one', '10.78.1.2'))
    expect(failure).toMatchObject({
      kind: 'task',
      message: '/proc/version could not be changed',
      next: 'Add this line to it: 10.78.1.2 one # kraft',
    })
  })
})

it.each([
  ['', '10.0.0.1 a # kraft\n'],
  ['x\n\n\n', 'x\n10.0.0.1 a # kraft\n'],
  ['x', 'x\n10.0.0.1 a # kraft\n'],
  ['9.9.9.9  a   # kraft  \nx\n', 'x\n10.0.0.1 a # kraft\n'],
  ['9.9.9.9 axb # kraft\n', '9.9.9.9 axb # kraft\n10.0.0.1 a # kraft\n'],
])('%j becomes %j', (before, after) => expect(withHostsLine(before, 'a', '10.0.0.1')).toBe(after))

it('a dot in a name is no other letter', () => {
  expect(withHostsLine('1.1.1.1 axb # kraft\n', 'a.b', undefined)).toBe('1.1.1.1 axb # kraft\n')
})
