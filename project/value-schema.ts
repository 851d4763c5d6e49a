import * as v from 'valibot'

/** Some text, without the space around it. */
export const text = v.pipe(v.string(), v.trim(), v.nonEmpty('some text'))
/** A whole number within limits. */
export const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('a whole number'), v.minValue(least, `at least ${least}`), v.maxValue(most, `at most ${most}`))

/** Makes a schema of a function that says what is wrong, so that the message can quote the value. */
export const sane = (wrong: (value: string) => string | undefined) =>
  v.rawCheck<string>(({ dataset, addIssue }) => {
    const message = dataset.typed ? wrong(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  })

/** A list, or its items in one text with space between them. */
export const listOf = <S extends v.GenericSchema<string, string>>(item: S) =>
  v.lazy((input): v.GenericSchema<unknown, string[]> => (typeof input === 'string' ? single(item) : v.array(item)))
const single = (item: v.GenericSchema<string, string>): v.GenericSchema<unknown, string[]> =>
  v.pipe(
    v.string(),
    v.transform((value) => value.split(/\s+/).filter((part) => part !== '')),
    v.array(item),
  )
