import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runningExtension, runningFile, runningRoot } from '../config/own-copy.js'
import { keep, kept, named } from '../files/private-cache.js'
import type { NodeRecord } from './record.js'

/**
 * The records of a nodes.yaml as they were found in exactly this text by exactly this kraft, without the cost of YAML and schema;
 * undefined where that is not known.
 */
export async function remembered(path: string, text: string): Promise<readonly NodeRecord[] | undefined> {
  return (await kept(named('nodes', path), await keyOf(text))) as readonly NodeRecord[] | undefined
}

/** Keeps what was found in a text. */
export async function keepRecords(path: string, text: string, records: readonly NodeRecord[]): Promise<void> {
  await keep(named('nodes', path), await keyOf(text), records)
}

// Another version may check other things.
async function keyOf(text: string): Promise<readonly unknown[]> {
  const mark = runningExtension === '.js' ? join(runningRoot, 'build.json') : runningFile('engine/node/record-section')
  const found = await stat(mark).catch(() => undefined)
  return [mark, found?.size, found?.mtimeMs, text]
}
