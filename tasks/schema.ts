import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { kindNames, loadKinds } from '../recipes/kinds.js'

/** Prints the JSON Schema of kraftwerk.yaml. */
export const schema = task({
  on: 'once',
  needs: 'nothing',
  group: 'More',
  help: 'print the JSON Schema of kraftwerk.yaml\nAlso for the services and vaults of your kraftfile.',
  changes: 'nothing',
  examples: ['kraft schema > kraftwerk.schema.json'],
  raw: true,
  async run() {
    const { projectSchema } = await import('../project/project-schema.js')
    const json = projectSchema(await loadKinds('services'), kindNames('vaults'))
    return new Result(JSON.stringify(json, null, 2), json)
  },
})
