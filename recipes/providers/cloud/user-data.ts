import { type Secret, secret } from '../../../engine/shell/secret.js'
import { render } from '../../../engine/template/render.js'

/** What cloud-init on the node is told. */
export interface UserData {
  readonly node: string
  readonly login: string
  readonly port: number
  /** The user's public key. */
  readonly publicKey: string
  readonly hostKey: { readonly public: string; readonly private: Secret }
}

/** The node's first-boot configuration for cloud-init. It holds the private host key, so it is a secret. */
export function userData(values: UserData): Secret {
  const text = render('providers/cloud/user-data.yaml', { ...values })
  return typeof text === 'string' ? secret(text, 'user data') : text
}
