/** The test kit for people who write recipes: `kraftwerk/testing`. It works with any test runner. */

export { type TestNodeOptions, testNode } from './local-node.js'
export { changed, type Outcome } from './outcome.js'
export { expectIdempotent, type RecipeNode } from './recipe-node.js'
export { type RecordedNodeOptions, type Recording, recordedNode } from './recording.js'
