import { test } from 'vitest'
import { runOnNodes } from '../docs/page-on-nodes.js'

test('the tutorial does what it says, from an empty folder to a node that is gone', () => runOnNodes('docs/tutorial.md'))
