import * as v from 'valibot'

/** What a service is asked for with: its name, or its name with settings. */
export interface ServiceSetting {
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** An item of `services:`, in each of its forms. */
export function serviceSchema(known: readonly string[]) {
  const name = v.picklist(known)
  const alone = v.pipe(
    name,
    v.transform((value): ServiceSetting => ({ name: value, settings: {} })),
  )
  const withSettings = v.pipe(
    v.record(name, v.nullable(v.record(v.string(), v.unknown()))),
    v.check((map) => Object.keys(map).length === 1, 'one name with its settings'),
    v.transform((map): ServiceSetting => {
      const [[found, settings] = ['', null]] = Object.entries(map)
      return { name: found, settings: settings ?? {} }
    }),
  )
  return v.lazy(
    (input): v.GenericSchema<unknown, ServiceSetting> => (typeof input === 'object' && input !== null ? withSettings : alone),
  )
}
