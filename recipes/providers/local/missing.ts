/**
 * For `catch`: a file or process that isn't there counts as this value.
 *
 * @example await readFile(path, 'utf8').catch(missing(''))
 */
export function missing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return value
    throw error
  }
}
