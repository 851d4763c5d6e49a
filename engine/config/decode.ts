import { KraftError } from '../errors/failure.js'

/**
 * The text of a file that people write: UTF-8, with or without a byte order mark. Throws a KraftError `setting` for another encoding,
 * with the place of the first byte that is none of UTF-8's.
 */
export function decode(bytes: Buffer, file: string): string {
  if (isUtf16(bytes)) {
    throw new KraftError({
      kind: 'setting',
      place: { file, line: 1, column: 1 },
      message: 'This file is in UTF-16, and kraft reads UTF-8',
      next: `Save it as UTF-8 in your editor, or: iconv -f UTF-16 -t UTF-8 ${file} >utf8 && mv utf8 ${file}`,
    })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new KraftError(
      {
        kind: 'setting',
        place: { file, ...placeOf(bytes) },
        message: 'Here is a letter in another encoding than UTF-8',
        next: 'Save the file as UTF-8 in your editor, or write this letter again',
      },
      error,
    )
  }
}

// Without its mark every other byte is zero, which no text in UTF-8 has.
function isUtf16(bytes: Buffer): boolean {
  const [first, second] = bytes
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.subarray(0, 4).includes(0)
}

function placeOf(bytes: Buffer): { line: number; column: number } {
  const text = bytes.toString('utf8')
  const before = text.slice(0, text.indexOf('\ufffd')).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
