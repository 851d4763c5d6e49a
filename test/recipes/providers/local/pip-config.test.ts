import { expect, test } from 'vitest'
import { parsePipConfig, pipEnvironment, proxpiEnvironment } from '../../../../recipes/providers/local/pip-config.js'

test('without a configuration packages come from PyPI', () => {
  expect(parsePipConfig('')).toEqual({
    index: 'https://pypi.org/simple/',
    extraIndexes: [],
    cert: undefined,
    proxy: undefined,
    trustedHosts: [],
  })
})

test('variables win over files, as they do for pip', () => {
  const list = "global.index-url='https://file.example.com/simple'\n:env:.index-url='https://variable.example.com/simple'"
  expect(parsePipConfig(list).index).toBe('https://variable.example.com/simple')
})

test('values of several lines and with quotes are read as Python wrote them', () => {
  const config = parsePipConfig(
    [
      "install.extra-index-url='\\nhttps://a.example.com/simple\\nhttps://b.example.com/simple'",
      'global.cert="/etc/it\'s/ca.pem"',
      "global.trusted-host='a.example.com b.example.com:8080'",
    ].join('\n'),
  )
  expect(config.extraIndexes).toEqual(['https://a.example.com/simple', 'https://b.example.com/simple'])
  expect(config.cert).toBe("/etc/it's/ca.pem")
  expect(config.trustedHosts).toEqual(['a.example.com', 'b.example.com:8080'])
})

test('the mirror fetches as this machine does', () => {
  const config = parsePipConfig(
    [
      "global.index-url='https://pypi.example.com:8443/simple'",
      "global.extra-index-url='https://more.example.com/simple'",
      "global.proxy='http://proxy.example.com:3128'",
      "global.trusted-host='pypi.example.com:8443'",
    ].join('\n'),
  )
  expect(proxpiEnvironment(config, '/state/pip/certificates.pem')).toMatchObject({
    PROXPI_INDEX_URL: 'https://pypi.example.com:8443/simple',
    PROXPI_EXTRA_INDEX_URLS: 'https://more.example.com/simple',
    PROXPI_EXTRA_INDEX_TTLS: '1800',
    PROXPI_DISABLE_INDEX_SSL_VERIFICATION: '1',
    REQUESTS_CA_BUNDLE: '/state/pip/certificates.pem',
    https_proxy: 'http://proxy.example.com:3128',
  })
  expect(pipEnvironment(config)).toMatchObject({
    PIP_INDEX_URL: 'https://pypi.example.com:8443/simple',
    PIP_EXTRA_INDEX_URL: 'https://more.example.com/simple',
    PIP_PROXY: 'http://proxy.example.com:3128',
  })
})

test('certificates are checked unless pip is told not to', () => {
  expect(proxpiEnvironment(parsePipConfig("global.trusted-host='other.example.com'"), undefined)).not.toHaveProperty(
    'PROXPI_DISABLE_INDEX_SSL_VERIFICATION',
  )
})
