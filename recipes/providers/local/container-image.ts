import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineName } from './engine.js'
import { masked, packagesOf, type Suite } from './image.js'
import { runProgram } from './program.js'
import { proxyEnvironment } from './proxies.js'
import { template } from './template.js'
import { ulimits } from './ulimits.js'

const bases: Readonly<Record<Suite, string>> = {
  bookworm: 'docker.io/library/debian:bookworm-slim',
  trixie: 'docker.io/library/debian:trixie-slim',
  noble: 'docker.io/library/ubuntu:noble',
}

/**
 * The image that containers of a release start from, built unless it is there: what a cloud's Debian image brings, on the official
 * base image. A later kraft that builds it differently has another tag.
 *
 * @throws KraftError with the last lines of the build.
 */
export async function containerImage(
  program: EngineName,
  suite: Suite,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const text = template('Containerfile', { base: bases[suite], packages: packagesOf(suite), masked })
  const tag = `localhost/kraftwerk-node:${suite}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
  const found = await runProgram(program, ['image', 'inspect', tag], { anyCode: true })
  if (found.code === 0) return tag
  progress(`Building a ${suite} image, once`)
  const folder = await mkdtemp(join(tmpdir(), 'kraft-image-'))
  try {
    await writeFile(join(folder, 'Dockerfile'), text)
    // Both programs hand the variables of proxies to what a build runs, and to nothing that is in the image.
    const proxies = Object.entries(proxyEnvironment(process.env)).filter(([name]) => /_proxy$/i.test(name))
    const given = proxies.flatMap(([name]) => ['--build-arg', name])
    const limits = program === 'podman' ? await ulimits() : []
    await runProgram(program, ['build', '--network', 'host', ...limits, ...given, '--tag', tag, folder], {
      onLine: progress,
      signal,
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return tag
}
