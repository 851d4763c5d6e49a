import { limitHelp } from '../engine/node/limit.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'

/** Looks at this machine, settings, credentials, keys and nodes, and says what to do for each finding. */
export const doctor = task({
  on: 'once',
  connection: 'new',
  needs: 'nothing',
  optionalTarget: true,
  gathers: true,
  withoutKraftfile: true,
  group: 'Nodes',
  help: 'look for what is wrong with this machine, settings, credentials, keys and, with a target, its nodes and domains; ends with code 1 where something needs a hand',
  examples: ['kraft doctor', 'kraft doctor:live', 'kraft doctor:live --limit web1,db*', 'kraft doctor:one --json'],
  options: { limit: option({ type: 'string', many: true, help: limitHelp }) },
  async run({ asked, session, options }) {
    const [{ examine }, { surroundings }, { describeExamined }] = await Promise.all([
      import('../recipes/doctor/examine.js'),
      import('../recipes/doctor/surroundings.js'),
      import('../recipes/doctor/describe.js'),
    ])
    const words = asked.targets.map(({ word }) => word).filter((word) => word !== '')
    const examined = await examine(await surroundings(session, words, options.limit), session.report)
    const findings = examined.flatMap((each) => each.findings)
    const errors = findings.filter(({ level }) => level === 'error').length
    const data = { ok: errors === 0, errors, warnings: findings.length - errors, checks: examined }
    return new Result(describeExamined(examined), data, undefined, false, errors === 0 ? 0 : 1)
  },
})
