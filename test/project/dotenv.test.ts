import { expect, it } from 'vitest'
import type { Variables } from '../../project/assignments.js'
import { readDotenv, writeDotenv } from '../../project/dotenv.js'

const written = (variables: Readonly<Record<string, string>>) =>
  writeDotenv(new Map(Object.entries(variables).map(([name, value]) => [name, Buffer.from(value)]))).toString()
const read = (text: string) =>
  Object.fromEntries([...readDotenv(Buffer.from(text))].map(([name, value]) => [name, value.toString()]))

it('what is written is read again, byte for byte', () => {
  const odd: Variables = new Map([
    ['PLAIN', Buffer.from('postgres://shop:pa55@db/shop')],
    ['EMPTY', Buffer.from('')],
    ['LINES', Buffer.from("-----BEGIN KEY-----\nit's\r\n # no comment\nB=2\n-----END KEY-----\n")],
    ['BACK', Buffer.from("C:\\new\\ \\' \\\\ end\\")],
    ['NEXT', Buffer.from(' blanks ')],
    ['BYTES', Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1))],
  ])
  expect(readDotenv(writeDotenv(odd))).toEqual(odd)
})

it('plain values stay plain, others are in quotes', () => {
  expect(written({ A: 'x1', B: 'a b', C: "it's", D: '$X', E: 'a\nb' })).toBe("A=x1\nB='a b'\nC='it\\'s'\nD='$X'\nE='a\nb'\n")
})

it('reads what people write', () => {
  const text = `# a comment
export A=1
  B = two words  # and a comment

C="a\\nb \\"c\\" \\$D"
D='no \\n escape # here'
E=
F=a#b
G="two
lines"
# the end`
  expect(read(text)).toEqual({
    A: '1',
    B: 'two words',
    C: 'a\nb "c" $D',
    D: 'no \\n escape # here',
    E: '',
    F: 'a#b',
    G: 'two\nlines',
  })
  expect(read('A=1\r\nB="x"\r\n')).toEqual({ A: '1', B: 'x' })
  expect(read('\n\n# nothing\n')).toEqual({})
})

it.each([
  ['A=1\nhunter22\n', 2],
  ['A=1\n\n# two\nhunter22\n', 4],
  ["A='hunter22\n", 1],
  ['A="hunter22" more\n', 1],
])('%j is refused at line %s, and not repeated', (text, line) => {
  const wrong = () => read(text)
  expect(wrong).toThrow(`Line ${line} of what was given is not NAME=value`)
  expect(wrong).not.toThrow('hunter22')
})
