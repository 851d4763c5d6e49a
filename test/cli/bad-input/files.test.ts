import { describe, test } from 'vitest'
import { type Case, check, inFolders, project, stage, template } from './refused.fixture.js'

inFolders()

describe.concurrent('says what is wrong with a template or a bundle, why and what next', () => {
  test.each<Case>([
    [
      'deploy:stage',
      template('server {\n  listen <%= port %>;\n}\n'),
      2,
      'error: HERE/templates/nginx/site.conf.ejs:2: port is not defined\nnext:  There are: place, layout, ',
    ],
    ['deploy:stage', template('server {\n\n<% if (ipv6 { %>\n}\n'), 2, 'error: HERE/templates/nginx/site.conf.ejs:3: '],
    [
      'deploy:stage',
      { ...project(stage), 'templates/instance/web.run.sh.ejs': '#!/bin/sh\n<%= wsgy %>' },
      2,
      'error: HERE/templates/instance/web.run.sh.ejs:2: wsgy is not defined. Did you mean "wsgi"?',
    ],
    [
      'deploy:stage',
      { ...project(stage), 'templates/instance/enter.sh.ejs': '<%' },
      2,
      'error: HERE/templates/instance/enter.sh.ejs:1: ',
    ],
  ])('for a mistake in a template, before a node is reached: kraft %s', check)

  test.each<Case>([
    ['load:stage no.bundle', project(stage), 2, 'error: HERE/no.bundle: There is no such file'],
    [
      'load:stage a.bundle',
      { ...project(stage), 'a.bundle': 'junk' },
      2,
      'error: HERE/a.bundle: This is no whole bundle: it is cut off or damaged\nnext:  Nothing was changed. Make a new one: kraft dump:TARGET FILE',
    ],
    [
      'load:stage a.bundle',
      { ...project(stage), 'a.bundle': '' },
      2,
      'error: HERE/a.bundle: This is no whole bundle: it is empty',
    ],
    ['load:stage .', project(stage), 2, 'error: HERE: This is no whole bundle: it is a folder'],
  ])('for a file that is no bundle, before a node is reached: kraft %s', check)
})
