/** One line of the requirements that a deploy would change. */
export interface RequirementChange {
  /** Null: it is new. */
  readonly before: string | null
  /** Null: it is gone. */
  readonly after: string | null
}

/**
 * What differs between two requirements files, line by line; lines for the same package stand together.
 *
 * @example requirementChanges('django==5.1\n', 'django==5.2\n') // [{ before: 'django==5.1', after: 'django==5.2' }]
 */
export function requirementChanges(before: string, after: string): readonly RequirementChange[] {
  const [old, now] = [rows(before), rows(after)]
  const gone = old.filter((row) => !now.includes(row))
  const added = now.filter((row) => !old.includes(row))
  const changes = gone.map((row): RequirementChange => {
    const same = added.findIndex((each) => nameOf(each) === nameOf(row))
    return { before: row, after: (same === -1 ? undefined : added.splice(same, 1)[0]) ?? null }
  })
  return [...changes, ...added.map((row): RequirementChange => ({ before: null, after: row }))]
}

function rows(text: string): string[] {
  return text
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '')
}

// As PyPI compares them: lower case, single hyphens.
function nameOf(row: string): string {
  const [name = row] = row.match(/^[A-Za-z0-9][\w.-]*/) ?? []
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}
