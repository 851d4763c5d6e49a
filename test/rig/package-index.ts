import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownCertificate } from './own-certificate.js'
import { ensurePackages } from './packages.js'

const run = promisify(execFile)

/** Indexes of Python packages over HTTPS, on an address that nodes reach. */
export interface PackageServer {
  /** Address of one of the indexes, without credentials. */
  url(index: string): string
  /** PEM by which the server is known. */
  readonly ca: string
  /** Requests for an index: those it answered, and those it refused. */
  readonly asked: Readonly<Record<string, { answered: number; refused: number }>>
  stop(): Promise<void>
}

/** An index: what it holds, and who may ask; left out: everybody. */
export interface ServedIndex {
  readonly packages: Readonly<Record<string, string>>
  readonly login?: { readonly user: string; readonly password: string }
}

// A wheel is a zip with a module and three files about it.
const makeWheel = `
import sys, zipfile
name, version, path = sys.argv[1:]
about = f'{name}-{version}.dist-info/'
with zipfile.ZipFile(path, 'w') as wheel:
    wheel.writestr(f'{name}.py', f'version = "{version}"\\n')
    wheel.writestr(about + 'METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')
    wheel.writestr(about + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: kraft\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(about + 'RECORD', f'{name}.py,,\\n{about}METADATA,,\\n{about}WHEEL,,\\n{about}RECORD,,\\n')
`

/** Serves indexes with packages of one module each, name to version, that knows its version. */
export async function startPackageServer(
  address: string,
  indexes: Readonly<Record<string, ServedIndex>>,
): Promise<PackageServer> {
  await ensurePackages(['python3'])
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-index-'))
  const { ca, key } = await ownCertificate(folder, address)
  const wheels = new Map<string, Buffer>()
  const asked: Record<string, { answered: number; refused: number }> = {}
  for (const [index, { packages }] of Object.entries(indexes)) {
    asked[index] = { answered: 0, refused: 0 }
    for (const [name, version] of Object.entries(packages)) {
      const file = `${name}-${version}-py3-none-any.whl`
      await run('/usr/bin/python3', ['-c', makeWheel, name, version, join(folder, file)])
      wheels.set(`/${index}/${name}/${file}`, await readFile(join(folder, file)))
    }
  }
  const server = createServer({ cert: await readFile(ca), key: await readFile(key) }, (request, response) => {
    const [, index = '', name = ''] = (request.url ?? '').split('/')
    const { login } = indexes[index] ?? {}
    const count = asked[index] ?? { answered: 0, refused: 0 }
    const wanted = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      count.refused += 1
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="packages"' }).end()
    }
    count.answered += 1
    const wheel = wheels.get(request.url ?? '')
    if (wheel !== undefined) return response.end(wheel)
    const files = [...wheels.keys()].flatMap((path) =>
      path.startsWith(`/${index}/${name}/`) ? (path.split('/').at(-1) ?? []) : [],
    )
    if (files.length === 0) return response.writeHead(404).end()
    return response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!DOCTYPE html><html><body>${files.map((file) => `<a href="${file}">${file}</a>`).join('')}</body></html>`)
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: (index) => `https://${address}:${port}/${index}/`,
    ca,
    asked,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
