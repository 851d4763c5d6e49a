import { size } from '../../engine/report/progress-text.js'
import { lines, sh } from '../../engine/shell/sh.js'
import type { StatusPart } from './part.js'

// One that hangs must not keep the others from being told.
const patience = 10

/** Services: whether they answer, and what they say of themselves. */
export const services: StatusPart = {
  name: 'services',
  look: ({ instance, services: used }) =>
    lines(
      ...used.flatMap(({ service, settings }) => {
        const facts = service.facts?.(instance, settings)
        if (facts === undefined) return []
        // What it says on stderr counts only where it fails.
        return sh`
          {
            {
              timeout -k 1 ${patience} sh -ec ${facts.text} </dev/null && echo 'code 0' || echo "code $?"
            } | sed ${`s/^/${service.name} fact /`}
          } 2>&1 | sed ${`/^${service.name} fact /!s/^/${service.name} error /`}
        `
      }),
    ),
  read(printed, { word, deployed, services: used }) {
    if (!deployed) return { rows: [], data: [], attention: [] }
    const rows = printed.split('\n')
    const found = used.map(({ service: { name } }) => {
      const of = (kind: string) =>
        rows.filter((row) => row.startsWith(`${name} ${kind} `)).map((row) => row.slice(name.length + kind.length + 2))
      const said = of('fact').filter((row) => !/^code \d+$/.test(row))
      const code = of('fact')
        .find((row) => /^code \d+$/.test(row))
        ?.slice(5)
      if (code === undefined) return { name, up: null }
      if (code !== '0')
        return {
          name,
          up: false,
          error: code === '124' ? `no answer within ${patience} s` : [...said, ...of('error')].join(' ').slice(0, 300),
        }
      return { name, up: true, ...readFacts(said) }
    })
    return {
      rows: found.map((each): [string, string] => [each.name, describe(each)]),
      data: found,
      attention: found.flatMap(({ name, up, error }, index) =>
        up === false
          ? {
              what: `${name} does not answer: ${error}`,
              next:
                used[index]?.where === 'url'
                  ? 'Whoever runs it knows more: kraft neither starts nor mends it'
                  : `A deploy starts what is down: kraft deploy:${word}`,
            }
          : [],
      ),
    }
  },
}

interface Service {
  readonly name: string
  readonly up: boolean | null
  readonly error?: string
  readonly [fact: string]: unknown
}

/** `NAME VALUE` lines, numbers as numbers. */
function readFacts(said: readonly string[]): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    said.flatMap((row) => {
      const [, name, value] = /^([a-z][a-z_]*) (.*)$/.exec(row) ?? []
      return name === undefined || value === undefined
        ? []
        : [[name, /^\d+$/.test(value) && name !== 'version' ? Number(value) : value]]
    }),
  )
}

function describe({ name: _, up, error, version, size: bytes, ...facts }: Service): string {
  if (up === null) return 'is set up'
  if (!up) return `DOWN: ${error}`
  return [
    'up',
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(typeof bytes === 'number' ? [size(bytes)] : []),
    ...Object.entries(facts).map(([fact, value]) => `${value} ${value === 1 ? fact.replace(/s$/, '') : fact}`),
  ].join(', ')
}
