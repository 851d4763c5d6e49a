import type { Check } from './check.js'
import { doubtful } from './finding.js'

/** ~/.kraftwerk.yaml: can it be read, is all of it right, and who else can read its secrets. */
export const ownSettings: Check = {
  name: 'user',
  title: '~/.kraftwerk.yaml',
  async look({ session }) {
    const { file, warnings } = session.user
    const findings = warnings.map((warning) => {
      // A warning ends with what to do.
      const [, what = warning, next = 'Correct that'] = /^(.*): (.*?)$/.exec(warning) ?? []
      return doubtful(what, next)
    })
    return [{ about: '~/.kraftwerk.yaml', said: file === undefined ? 'there is none' : 'right', findings }]
  },
}
