import { defineVault } from '../../project/vault.js'

/** 1Password, by its command line. */
export const vault = defineVault({
  name: 'op',
  doc: '1Password: a secret reference, read by `op`',
  example: 'op://shop/stripe/key',
  login: 'Log in: op signin (in CI set OP_SERVICE_ACCOUNT_TOKEN)',
  problem: (reference) => (/^op:\/\/[^/]+\/[^/]+\/./.test(reference) ? undefined : 'op://VAULT/ITEM/FIELD'),
  command: (reference) => ['op', 'read', '--no-newline', reference],
  read: (printed) => printed,
})
