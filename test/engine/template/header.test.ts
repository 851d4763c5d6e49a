import { describe, expect, it } from 'vitest'
import { parseHeader, templateHeader } from '../../../engine/template/header.js'
import { render } from '../../../engine/template/render.js'

const text = `<%#
Greets,
at length.
@to /etc/motd
@mode 0640
@owner root:adm
@param {string} who - Whom.
@param {{ readonly of: number } | undefined} [age] - How old,
  where that is known.
-%>
#!/bin/sh
`

describe('the header of a template', () => {
  it('has what it is for, where it lands and what it can name', () => {
    expect(parseHeader(text)).toEqual({
      doc: 'Greets, at length.',
      to: '/etc/motd',
      mode: '0640',
      owner: 'root:adm',
      partOf: [],
      variables: [
        { name: 'who', type: 'string', optional: false, doc: 'Whom.' },
        { name: 'age', type: '{ readonly of: number } | undefined', optional: true, doc: 'How old, where that is known.' },
      ],
    })
  })

  it('is none where a template begins with anything else', () => {
    expect(parseHeader('#!/bin/sh\n<%#\nNo header.\n-%>\n')).toBeUndefined()
    expect(templateHeader('dashboard/page.js')).toBeUndefined()
    expect(templateHeader('nothing')).toBeUndefined()
  })

  it('leaves no trace in what is rendered: a script still begins with #!', () => {
    expect(String(render('instance/log.py')).startsWith('#!/usr/bin/python3')).toBe(true)
    expect(String(render('nginx/nginx.conf')).startsWith('# Made by kraft')).toBe(true)
  })
})
