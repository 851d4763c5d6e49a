/**
 * A value as one would write it in YAML, on one line.
 *
 * @example inYaml({ schedule: '@daily', keep: 7 }) // '{ schedule: "@daily", keep: 7 }'
 */
export function inYaml(value: unknown, inside = false): string {
  if (Array.isArray(value)) return `[${value.map((each) => inYaml(each, true)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    if (Object.keys(value).length === 0) return '{}'
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${/^[\w.-]+$/.test(key) ? key : JSON.stringify(key)}: ${inYaml(each, true)}`)
      .join(', ')} }`
  }
  if (typeof value !== 'string') return String(value)
  return isPlain(value) && !(inside && /[,[\]{}]/.test(value)) ? value : JSON.stringify(value)
}

/** Whether YAML takes a text for what it is, and not for a number, a truth value, a list, a map or two keys. */
function isPlain(text: string): boolean {
  if (/^[\d.]+$|^(true|false|null|~|yes|no|on|off)?$/i.test(text) || text.trim() !== text) return false
  return !/^[-?:](\s|$)|^[,[\]{}#&*!|>'"%@`]|:(\s|$)|\s#|[\n\r\t\0]/.test(text)
}
