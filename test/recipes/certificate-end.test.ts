import { expect, it } from 'vitest'
import { describeCertificateEnd, parseCertificateEnd } from '../../recipes/certificate-end.js'

const place = { name: 'shop', home: '/web/shop' }
const now = new Date('2026-11-28T12:00:00Z')
const after = (days: number) => new Date(now.getTime() + days * 86_400_000)

it.each([
  [{ until: after(60.5), own: false }, 'certificate for 60 more days'],
  [{ until: after(1.2), own: false }, 'certificate for 1 more day, and was not renewed (why: journalctl -u kraft-https@shop)'],
  [{ until: after(-0.1), own: false }, 'certificate has EXPIRED, and was not renewed (why: journalctl -u kraft-https@shop)'],
  [{ until: undefined, own: false }, 'no certificate yet (why: journalctl -u kraft-https@shop)'],
  [{ until: after(30), own: true }, 'certificate for 30 more days'],
  [{ until: after(29.9), own: true }, 'certificate for 29 more days (nothing renews your own but a deploy with new files)'],
  [{ until: after(-0.1), own: true }, 'certificate has EXPIRED (nothing renews your own but a deploy with new files)'],
  [{ until: undefined, own: true }, 'no certificate that nginx can use (the next deploy puts your own there again)'],
])('%o is described as %s', (end, words) => expect(describeCertificateEnd(end, place, now)).toBe(words))

it('what a node says is read, also between other lines', () => {
  expect(parseCertificateEnd('current 1 2\ncertificate acme 1795867200\n')).toEqual({
    until: new Date('2026-11-28T12:00:00Z'),
    own: false,
  })
  expect(parseCertificateEnd('certificate own \n')).toEqual({ until: undefined, own: true })
  expect(parseCertificateEnd('current 1 2\n')).toBeUndefined()
})
