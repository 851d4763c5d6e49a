import { describe, expect, it } from 'vitest'
import { optionsFromVariables } from '../../../engine/cli/option-variables.js'
import { parseArguments } from '../../../engine/cli/parse.js'
import { option } from '../../../engine/task/option.js'
import { failureOf } from '../../rig/failure.js'

const specs = {
  hours: option({ type: 'number', default: 24 }),
  keepOld: option({ type: 'boolean', default: true }),
  area: option({ type: 'string', choices: ['home', 'shop'] }),
  only: option({ type: 'string', many: true }),
}
const from = (environment: Readonly<Record<string, string>>, typed = {}) =>
  optionsFromVariables('clear-cache', specs, typed, environment)

describe('an option that is not typed', () => {
  it('comes from a variable of the task and its name', () => {
    expect(from({ KRAFT_CLEAR_CACHE_HOURS: '2', KRAFT_CLEAR_CACHE_KEEP_OLD: 'no', KRAFT_CLEAR_CACHE_AREA: 'shop' })).toEqual({
      hours: 2,
      keepOld: false,
      area: 'shop',
    })
    expect(from({ KRAFT_CLEAR_CACHE_ONLY: ' a  b ' })).toEqual({ only: ['a', 'b'] })
  })

  it('but what is typed wins, and an empty variable says nothing', () => {
    expect(from({ KRAFT_CLEAR_CACHE_HOURS: '2' }, { hours: 3 })).toEqual({})
    expect(from({ KRAFT_CLEAR_CACHE_HOURS: '', KRAFT_HOURS: '4' })).toEqual({})
  })

  it.each([
    [{ KRAFT_CLEAR_CACHE_HOURS: 'two' }, 'KRAFT_CLEAR_CACHE_HOURS is a number, got "two"'],
    [{ KRAFT_CLEAR_CACHE_AREA: 'hom' }, 'KRAFT_CLEAR_CACHE_AREA is one of home, shop; got "hom". Did you mean "home"?'],
    [{ KRAFT_CLEAR_CACHE_KEEP_OLD: 'perhaps' }, 'KRAFT_CLEAR_CACHE_KEEP_OLD is yes or no, got "perhaps"'],
  ])('with a wrong value (%j) is refused by the name of its variable', async (environment, said) => {
    expect(await failureOf(Promise.resolve().then(() => from(environment)))).toMatchObject({ kind: 'usage', said })
  })
})

describe('--no-', () => {
  const parse = (...given: string[]) => parseArguments('clear-cache', specs, false, given).options
  it('turns an option off, and the last one counts', () => {
    expect(parse('--no-keep-old')).toEqual({ keepOld: false })
    expect(parse('--no-keep-old', '--keep-old')).toEqual({ keepOld: true })
    expect(parse('--keep-old', '--no-keep-old')).toEqual({ keepOld: false })
  })

  it('is for options that are on or off', async () => {
    for (const wrong of ['--no-hours', '--no-yes', '--no-nothing', '--no-keep-old=1'])
      expect(await failureOf(Promise.resolve().then(() => parse(wrong))), wrong).toMatchObject({ kind: 'usage' })
  })

  it('leaves alone an option that is called so', () => {
    const own = { input: option({ type: 'boolean' }), noInput: option({ type: 'boolean' }) }
    expect(parseArguments('load', own, false, ['--no-input']).options).toEqual({ noInput: true })
  })
})
