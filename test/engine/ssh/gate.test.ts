import { expect, it } from 'vitest'
import { Gate } from '../../../engine/ssh/gate.js'

it('lets only so many in, the others in the order in which they came', async () => {
  const gate = new Gate(2)
  const order: number[] = []
  let most = 0
  await Promise.all(
    [0, 1, 2, 3, 4].map((index) =>
      gate.through(async () => {
        order.push(index)
        most = Math.max(most, gate.inside)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }),
    ),
  )
  expect([order, most, gate.inside]).toEqual([[0, 1, 2, 3, 4], 2, 0])
})

it('gives a place back once, however often it is left, and when the body throws', async () => {
  const gate = new Gate(1)
  const leave = await gate.enter()
  leave()
  leave()
  await expect(gate.through(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(gate.inside).toBe(0)
})

it('narrows to what is bearable, but not to nothing', async () => {
  const gate = new Gate(8)
  gate.narrow(0)
  const leave = await gate.enter()
  const second = gate.enter()
  expect(gate.inside).toBe(1)
  leave()
  await second
})
