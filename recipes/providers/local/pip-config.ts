/** Where this machine's pip gets packages from, and how. */
export interface PipConfig {
  readonly index: string
  readonly extraIndexes: readonly string[]
  /** A file of certificates. */
  readonly cert: string | undefined
  readonly proxy: string | undefined
  /** Hosts whose certificate pip is told not to check. */
  readonly trustedHosts: readonly string[]
}

/**
 * Reads what `pip config list` prints: pip's own merger of its files and variables, so that nothing about them is guessed here.
 *
 * @example parsePipConfig("global.index-url='https://pypi.example.com/simple'").index // https://pypi.example.com/simple
 */
export function parsePipConfig(list: string): PipConfig {
  const found = new Map<string, string>()
  for (const line of list.split('\n')) {
    const [, name, value] = /^([^=]+)=(['"].*['"])$/.exec(line.trim()) ?? []
    if (name !== undefined && value !== undefined) found.set(name, fromPython(value))
  }
  const get = (key: string) =>
    [`:env:.${key}`, `download.${key}`, `install.${key}`, `global.${key}`]
      .map((name) => found.get(name))
      .find((value) => value !== undefined && value.trim() !== '')
      ?.trim()
  const words = (value: string | undefined) => value?.split(/\s+/).filter((word) => word !== '') ?? []
  return {
    index: get('index-url') ?? 'https://pypi.org/simple/',
    extraIndexes: words(get('extra-index-url')),
    cert: get('cert'),
    proxy: get('proxy'),
    trustedHosts: words(get('trusted-host')),
  }
}

/** The same as variables for a pip that another user runs. */
export function pipEnvironment(config: PipConfig): Record<string, string> {
  return {
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: config.index,
    ...(config.extraIndexes.length > 0 && { PIP_EXTRA_INDEX_URL: config.extraIndexes.join(' ') }),
    ...(config.cert !== undefined && { PIP_CERT: config.cert }),
    ...(config.proxy !== undefined && { PIP_PROXY: config.proxy }),
    ...(config.trustedHosts.length > 0 && { PIP_TRUSTED_HOST: config.trustedHosts.join(' ') }),
  }
}

/** The same as variables for proxpi, which fetches for the nodes. `cert` is a copy of the certificates that it can read. */
export function proxpiEnvironment(config: PipConfig, cert: string | undefined): Record<string, string> {
  const { host, hostname } = new URL(config.index)
  const trusted = config.trustedHosts.includes(host) || config.trustedHosts.includes(hostname)
  return {
    PROXPI_INDEX_URL: config.index,
    ...(config.extraIndexes.length > 0 && {
      PROXPI_EXTRA_INDEX_URLS: config.extraIndexes.join(','),
      PROXPI_EXTRA_INDEX_TTLS: config.extraIndexes.map(() => '1800').join(','),
    }),
    ...(cert !== undefined && { REQUESTS_CA_BUNDLE: cert }),
    ...(config.proxy !== undefined && { http_proxy: config.proxy, https_proxy: config.proxy }),
    ...(trusted && { PROXPI_DISABLE_INDEX_SSL_VERIFICATION: '1' }),
    // By default it sends a client that waits for more than 0.9 s to PyPI itself, which no node can reach.
    PROXPI_DOWNLOAD_TIMEOUT: '900',
    PROXPI_CONNECT_TIMEOUT: '20',
    PROXPI_READ_TIMEOUT: '60',
    PROXPI_BINARY_FILE_MIME_TYPE: '1',
  }
}

// A string as Python's repr() writes it.
function fromPython(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
  return text.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)
}
