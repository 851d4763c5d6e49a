import { readHttps } from '../../project/https.js'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { knownKinds } from '../kinds.js'
import type { Check } from './check.js'
import { type Finding, findingOf } from './finding.js'

/** kraftwerk.yaml, and the files of certificates that it names. */
export const projectSettings: Check = {
  name: 'project',
  title: 'kraftwerk.yaml',
  async look({ session }) {
    const project = await loadProject(session.folder, knownKinds())
    const about = 'kraftwerk.yaml'
    if (project === undefined) return [{ about, said: 'there is none here or above', findings: [] }]
    const environments = Object.keys(project.environments)
    const findings = new Map<string, Finding>()
    for (const environment of environments.length === 0 ? [undefined] : environments) {
      try {
        readHttps(instanceOf(project, environment))
      } catch (error) {
        // What is said for the whole project is wrong in each of its environments.
        const finding = findingOf(error)
        findings.set(finding.what, finding)
      }
    }
    const of = environments.length === 0 ? 'no environments' : environments.join(', ')
    return [{ about, said: `right: ${project.name} (${of})`, findings: [...findings.values()] }]
  },
}
