import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensurePackages } from './packages.js'

/** Files of a server's certificate that nobody but itself has signed, for an address, for two days. */
export async function ownCertificate(folder: string, address: string): Promise<{ readonly ca: string; readonly key: string }> {
  await ensurePackages(['openssl'])
  const [ca, key] = [join(folder, 'ca.pem'), join(folder, 'key.pem')]
  const kind = ['-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=test', '-days', '2']
  // uv takes no certificate for a server's that can sign others.
  const about = ['-addext', `subjectAltName=IP:${address}`, '-addext', 'basicConstraints=critical,CA:FALSE']
  await promisify(execFile)('openssl', ['req', ...kind, ...about, '-keyout', key, '-out', ca])
  return { ca, key }
}
