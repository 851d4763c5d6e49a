import { describe, expect, it } from 'vitest'
import { eventReport } from '../../../engine/report/events.js'
import { plainReport } from '../../../engine/report/plain.js'
import { redacted } from '../../../engine/report/redacted.js'
import { WholeLines } from '../../../engine/report/whole-lines.js'
import { register } from '../../../engine/shell/redact.js'

const canary = 'canary-of-the-report'
register(canary)

describe.each([
  ['plain lines', (write: (text: string) => void) => plainReport(write, { everything: true })],
  ['events', eventReport],
])('%s', (_, make) => {
  it('show no secret wherever it is said', async () => {
    let text = ''
    const report = redacted(
      make((more) => {
        text += more
      }),
    )
    report.note(`note ${canary}`)
    await report.list([
      {
        title: `item ${canary}`,
        run: (line) =>
          line.list([
            { title: canary, run: (own) => own.title(`title ${canary}`, 'changed') },
            { title: 'output', run: (own) => own.output(`output ${canary}`) },
            { title: 'skip', run: (own) => own.skip(`skip ${canary}`) },
          ]),
      },
    ])
    expect(text).not.toContain('canary')
    for (const place of ['note', 'item', 'title', 'output', 'skip']) expect(text).toContain(`${place} [secret]`)
  })
})

it('chunks become whole lines, so that nothing is cut in two', () => {
  const lines: string[] = []
  const whole = new WholeLines((line) => lines.push(line))
  const bytes = Buffer.from('first\nsecönd with a word\nlast')
  for (const byte of bytes) whole.push(Uint8Array.of(byte))
  expect(lines).toEqual(['first', 'secönd with a word'])
  whole.end()
  expect(lines).toEqual(['first', 'secönd with a word', 'last'])
})
