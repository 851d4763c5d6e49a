import { type Instance, instanceOf } from '../project/instance.js'

/** After a deploy: look at the site and, where a live environment waits for what is tried here, bring it there. */
export function afterDeploy({ environment, project, settings }: Instance, word: string): string {
  const own = environment ?? word
  const live = environment === undefined || settings.live ? undefined : environmentOf(project, true, own)
  return live === undefined ? `kraft open:${own}` : `kraft open:${own} && kraft promote:${own} ${live}`
}

/** After the start of a machine that is at another address now: an application without a domain answers to that of its node alone. */
export function afterStart({ environment, settings }: Instance, word: string, elsewhere: readonly string[]): string | undefined {
  return elsewhere.length === 0 || settings.domain !== undefined ? undefined : `kraft reload:${environment ?? word}`
}

/** After a dump: load it where data may be tried. What is live is not to be overwritten by a line that is pasted. */
export function afterDump({ environment, project }: Instance, file: string): string | undefined {
  if (!/^[\w./-]+$/.test(file)) return undefined
  const other = environmentOf(project, false, environment)
  return other === undefined ? undefined : `kraft load:${other} ${file}`
}

function environmentOf(project: Instance['project'], live: boolean, not: string | undefined): string | undefined {
  const others = Object.keys(project.environments).filter((name) => name !== not)
  return others.find((name) => Boolean(instanceOf(project, name).settings.live) === live)
}
