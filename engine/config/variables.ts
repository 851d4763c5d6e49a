import type { Section } from './section.js'
import type { YamlFile } from './yaml.js'

/**
 * The `KRAFT_…` variables that name keys of a section, as a small file of settings, so that they are validated like one:
 * `KRAFT_DEFAULT_NODE=one` is `default_node: one`, and with the prefix `KRAFT_EC2_` `KRAFT_EC2_REGION` is `region`.
 */
export async function variables(
  section: Section,
  prefix = 'KRAFT_',
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<YamlFile | undefined> {
  const given = Object.keys(section).flatMap((key) => {
    const text = environment[variable(prefix, key)]
    return text === undefined || text === '' ? [] : [[key, text] as const]
  })
  if (given.length === 0) return undefined
  const { safeParse } = await import('valibot')
  // The usual ones are read without the YAML library, which costs more than all else of it.
  const parse = given.every(([, text]) => simple.test(text)) ? JSON.parse : (await import('yaml')).parse
  const value = given.map(([key, text]) => {
    // `KRAFT_SECRET=0123` is text although YAML would read a number.
    const asText = section[key]
    return [key, asText !== undefined && safeParse(asText.schema, text).success ? text : plain(text, parse)]
  })
  const file = `${prefix}* in the environment`
  return {
    file,
    value: Object.fromEntries(value),
    place: ([key]) => ({ file: key === undefined ? file : variable(prefix, String(key)) }),
    source: ([key, ...deeper]) =>
      key === undefined || deeper.length > 0 ? undefined : environment[variable(prefix, String(key))],
  }
}

/** What YAML and JSON read alike. */
const simple = /^(0|[1-9]\d{0,8}|true|false)$/

/** The variable of a key: `default_node` is `KRAFT_DEFAULT_NODE`. */
export function variable(prefix: string, key: string): string {
  return prefix + key.toUpperCase().replaceAll('-', '_')
}

function plain(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text)
  } catch {
    // What is not YAML is text, and the schema says what is wrong with it.
    return text
  }
}
