import { readFile, writeFile } from 'node:fs/promises'

// In /tmp of a real Debian not even root writes to a file of somebody else's; a local node has what the machine has that it is on.
const setting = '/proc/sys/fs/protected_regular'

/** Has this machine protect files as Debian does, for as long as tests of nodes run. */
export async function setup(): Promise<() => Promise<void>> {
  const before = await readFile(setting, 'utf8')
  await writeFile(setting, '2')
  return () => writeFile(setting, before)
}
