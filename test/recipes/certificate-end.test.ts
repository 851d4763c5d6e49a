import { expect, it } from 'vitest'
import { describeCertificateEnd, parseCertificateEnd } from '../../recipes/certificate-end.js'

const place = { name: 'shop', home: '/web/shop' }
const now = new Date('2026-11-28T12:00:00Z')
const after = (days: number) => new Date(now.getTime() + days * 86_400_000)

it.each([
  [after(60.5), 'certificate for 60 more days'],
  [after(1.2), 'certificate for 1 more day, and was not renewed'],
  [after(-0.1), 'certificate has EXPIRED, and was not renewed'],
  ['none' as const, 'no certificate yet (why: journalctl -u kraft-https@shop)'],
])('%s is described as %s', (end, words) => expect(describeCertificateEnd(end, place, now)).toBe(words))

it('what a node says is read, also between other lines', () => {
  expect(parseCertificateEnd('current 1 2\ncertificate 1795867200\n')).toEqual(new Date('2026-11-28T12:00:00Z'))
  expect(parseCertificateEnd('certificate none\n')).toBe('none')
  expect(parseCertificateEnd('current 1 2\n')).toBeUndefined()
})
