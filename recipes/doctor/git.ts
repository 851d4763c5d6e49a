import { programOf } from '../../engine/ssh/installed.js'
import { askGit, inRepository } from '../../project/git.js'
import type { Check } from './check.js'
import { doubtful } from './finding.js'

/** git, by which kraft knows which files are the project's and which commit a release is. */
export const git: Check = {
  name: 'git',
  title: 'git',
  async look({ session: { project, folder } }) {
    if (programOf('git') === undefined) {
      const what = 'git is not installed here: a deploy from a repository needs it'
      return [{ about: 'git', said: '', findings: [doubtful(what, 'sudo apt-get install git')] }]
    }
    const { stdout } = await askGit(folder, ['--version'])
    const said = stdout.toString().trim().replace('git version ', '')
    if (project === undefined) return [{ about: 'git', said, findings: [] }]
    const place = (await inRepository(project.folder)) ? 'the project is in a repository' : 'the project is in no repository'
    return [{ about: 'git', said: `${said}, ${place}`, findings: [] }]
  },
}
