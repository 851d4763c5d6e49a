import { generateHostKey } from '../../../engine/ssh/key-pair.js'

for (let number = 0; number < 1500; number++) generateHostKey()
