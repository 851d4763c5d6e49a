import type { YamlPath } from './yaml.js'

/** What stands at a path in plain data; undefined where there is nothing. */
export function valueAt(value: unknown, steps: YamlPath): unknown {
  return steps.reduce((above, step) => below(above, step), value)
}

/** A value with another one at a path in it. */
export function replaced(value: unknown, [step, ...deeper]: YamlPath, by: unknown): unknown {
  if (step === undefined) return by
  if (Array.isArray(value)) return value.map((each, index) => (index === step ? replaced(each, deeper, by) : each))
  return isMap(value) ? { ...value, [step]: replaced(value[step], deeper, by) } : value
}

function below(value: unknown, part: string | number): unknown {
  if (Array.isArray(value)) return typeof part === 'number' ? value[part] : undefined
  return isMap(value) && Object.hasOwn(value, part) ? value[part] : undefined
}

/** Tells a map from lists and plain values. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
