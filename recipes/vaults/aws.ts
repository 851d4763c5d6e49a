import { defineVault } from '../../project/vault.js'

/** AWS, by its command line: Secrets Manager and the Parameter Store of Systems Manager. */
export const vault = defineVault({
  name: 'aws',
  doc: 'AWS, read by `aws`: a secret of the Secrets Manager and, behind #, a key of its JSON; or a parameter as ssm:/shop/key',
  example: 'shop/live#stripe',
  login: 'Log in: aws sso login, or set AWS_PROFILE; does "aws sts get-caller-identity" name you?',
  command(reference) {
    const { id } = split(reference)
    const options = ['--output', 'json']
    if (id.startsWith('ssm:')) {
      const name = id.slice('ssm:'.length)
      return ['aws', 'ssm', 'get-parameter', '--name', name, '--with-decryption', '--query', 'Parameter.Value', ...options]
    }
    return ['aws', 'secretsmanager', 'get-secret-value', '--secret-id', id, '--query', 'SecretString', ...options]
  },
  read(printed, reference) {
    const { key } = split(reference)
    const whole = textOf(JSON.parse(printed), 'the secret is no text')
    if (key === undefined) return whole
    const map = mapOf(whole)
    if (!Object.hasOwn(map, key)) throw new Error(`the secret has no key "${key}"`)
    const value = map[key]
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : textOf(value, `the key "${key}" is no text`)
  },
})

function split(reference: string): { readonly id: string; readonly key: string | undefined } {
  const at = reference.indexOf('#')
  return at < 0 ? { id: reference, key: undefined } : { id: reference.slice(0, at), key: reference.slice(at + 1) }
}

function textOf(value: unknown, otherwise: string): string {
  if (typeof value !== 'string') throw new Error(otherwise)
  return value
}

function mapOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // What the parser says would repeat the secret.
  }
  throw new Error('the secret is no map in JSON, so it has no keys')
}
