// The API as it is published: its page, and what is wrong with its doc comments.
import ts from 'typescript'
import { exampleProblems, programWithExamples } from './examples.mjs'
import { apiPage, docProblems, partsOf } from './page.mjs'
import { compilerOptions, entryPoints, readApi } from './read.mjs'

/** Reads the types in dist/. `page` makes docs/api.md of them, `problems` has a line for each mistake. */
export function readPublished(root) {
  const program = ts.createProgram(Object.values(entryPoints(root)), compilerOptions)
  const api = readApi(program, root)
  const parts = partsOf(api, program.getTypeChecker(), root)
  const examples = api.flatMap(({ specifier, exports }) =>
    exports.flatMap(({ source, name, examples: all }) => all.map((text) => ({ specifier, where: `${source}: ${name}`, text }))),
  )
  const withExamples = programWithExamples(root, api, examples, program)
  return {
    page: (commands, note) => apiPage(parts, commands, note),
    problems: [...docProblems(parts), ...exampleProblems(withExamples, root, examples)],
  }
}
