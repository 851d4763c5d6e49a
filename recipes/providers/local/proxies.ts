/**
 * What a program needs of the user's environment to reach the internet the way the user does: proxies and certificates.
 * `sudo` would drop them.
 */
export function proxyEnvironment(environ: NodeJS.ProcessEnv): Record<string, string> {
  const wanted = /^((https?|all|no)_proxy|ssl_cert_(file|dir)|requests_ca_bundle)$/i
  return Object.fromEntries(
    Object.entries(environ).flatMap(([name, value]) => (wanted.test(name) && value ? [[name, value]] : [])),
  )
}
