import * as v from 'valibot'

const email = v.pipe(v.string(), v.trim(), v.regex(/^[^\s@]+@[^\s@]+$/, 'an email address'))
const username = v.pipe(v.string(), v.trim(), v.regex(/^[\w.@+-]{1,150}$/, 'a name of letters, digits and @ . + - _'))
/** An account that the first deploy creates. */
export interface Superuser {
  readonly username: string
  readonly email: string
}
const superuserMap = v.pipe(
  // The list of keys comes first, so that a misspelt one gets its hint.
  v.record(v.picklist(['username', 'email']), v.unknown()),
  v.object({
    username: v.exactOptional(v.pipe(username, v.description('Default: what stands before the @'))),
    email: v.pipe(email, v.description('Address of the account')),
  }),
  v.transform((map): Superuser => ({ username: map.username ?? nameIn(map.email), email: map.email })),
)
const superuserEmail = v.pipe(
  email,
  v.transform((address): Superuser => ({ username: nameIn(address), email: address })),
)
const nameIn = (address: string) => address.split('@')[0] ?? address
const superuser = v.lazy(
  (input): v.GenericSchema<unknown, Superuser> => (typeof input === 'object' && input !== null ? superuserMap : superuserEmail),
)
/** `superusers:`. */
export const superusersSchema = v.pipe(
  v.array(superuser),
  v.check((all) => new Set(all.map(({ username: each }) => each)).size === all.length, 'each username only once'),
)
