import * as v from 'valibot'
import type { Secret } from '../engine/shell/secret.js'
import { orReference } from '../project/reference-schema.js'
import { kindNames } from './kinds.js'

/**
 * A setting of a service that stands in kraftwerk.yaml as it is, or where a vault has it: `{ op: op://shop/solr/key }`. What came from
 * a vault is a secret by the time that `setup` and `environ` get it; a dry run fetches nothing and gives them words in its place.
 *
 * @example schema: schema.object({ key: orVault(schema.string()) })
 */
export function orVault(value: v.GenericSchema<unknown, string | Secret>): v.GenericSchema<unknown, string | Secret> {
  // Vaults of a kraftfile are known only when a value is looked at.
  const written: v.GenericSchema<unknown, unknown> = v.lazy(() => orReference(kindNames('vaults'), value))
  return written as v.GenericSchema<unknown, string | Secret>
}
