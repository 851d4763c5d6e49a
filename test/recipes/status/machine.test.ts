import { expect, it } from 'vitest'
import { clockDifference, machine } from '../../../recipes/status/machine.js'
import type { Looked } from '../../../recipes/status/part.js'

const at = (seconds: number) => new Date(seconds * 1000)
// What this part reads of what it is given.
const looked = { node: { name: 'one' }, word: 'live', between: [at(1000.5), at(1001.5)] } as unknown as Looked
const well = `now 1001
uptime 259200
load 0.10 0.20 0.30 2
memory 2000000 1000000 1000000 1000000
disk:/ 10000000 6000000 100 50
updates 3 1
`

it('says how a node is that needs nothing', () => {
  const { rows, attention } = machine.read(well, looked)
  expect(attention).toEqual([])
  expect(rows).toEqual([
    ['disk /', '40% of 9.5 GiB, 50% of inodes'],
    ['memory', '50% of 1.9 GiB, swap 0% of 977 MiB'],
    ['load', '0.10 0.20 0.30 on 2 CPUs'],
    ['system', 'up 3 days, 3 updates wait, 1 for security'],
  ])
})

it('says what needs a hand: disk, inodes, memory, clock, reboot', () => {
  const ill = well
    .replace('6000000 100 50', '500000 100 2')
    .replace('2000000 1000000', '2000000 50000')
    .replace('now 1001', 'now 2000')
  const { attention } = machine.read(`${ill}reboot linux-image \n`, looked)
  expect(attention.map(({ what }) => what)).toEqual([
    '488 MiB are left on /',
    'Only 2 more files fit on / (inodes)',
    '49 MiB of memory are left',
    "Its clock differs by 16:38 min from this machine's",
    'It wants a reboot (linux-image)',
  ])
})

it('a large disk may be nearly full, and a file system without inodes of its own is no matter', () => {
  expect(machine.read(well.replace('10000000 6000000 100 50', '1000000000 50000000 0 0'), looked).attention).toEqual([])
})

it('a clock differs only by what the time of the question does not explain', () => {
  expect(clockDifference(1000, at(1000.9), at(1003.2))).toBe(0)
  expect(clockDifference(1004, at(1000.9), at(1003.2))).toBe(0)
  expect(clockDifference(1010, at(1000.9), at(1003.2))).toBe(6)
  expect(clockDifference(990, at(1000.9), at(1003.2))).toBe(-10)
})
