import { expect, test } from 'vitest'
import { guides } from './guides.js'
import { runOnNodes } from './page-on-nodes.js'

// npm run test:docs: every guide as it stands.
test('there are guides', () => expect(guides).not.toEqual([]))

test.each(guides)('%s', runOnNodes)
