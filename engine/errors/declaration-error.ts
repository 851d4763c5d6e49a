const mark = Symbol.for('kraftwerk.declaration')

/**
 * What is thrown where a kraftfile declares something that cannot be: with the function that was called there, so that its place can be
 * shown, and what to do.
 *
 * @example throw new DeclarationError('series', 'A series has one or more tasks', "For example: series('Deploy twice', deploy, deploy)")
 */
export class DeclarationError extends TypeError {
  override readonly name = 'DeclarationError'
  readonly [mark] = true

  constructor(
    readonly call: string,
    message: string,
    readonly next: string,
  ) {
    super(message)
  }
}

/** Tells a {@link DeclarationError}, also one of another copy of kraftwerk. */
export function isDeclarationError(error: unknown): error is DeclarationError {
  return typeof error === 'object' && error !== null && mark in error
}

/** Throws a {@link DeclarationError} for the name of a provider, service or vault that no setting could hold. */
export function requireName(call: 'provider' | 'service' | 'vault', name: string): void {
  if (/^[a-z][a-z0-9-]*$/.test(name)) return
  const message = `A ${call}'s name is small letters, digits and hyphens, not "${name}"`
  throw new DeclarationError(call, message, "For example: name: 'rack'")
}
