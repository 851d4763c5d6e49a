// docs/templates.md from the headers of the templates.
const folders = {
  apt: 'apt',
  firewall: 'The firewall',
  nginx: 'nginx',
  https: 'HTTPS',
  instance: 'An instance',
  services: 'Services',
  backup: 'Backups',
  static: 'Static files in a bucket',
  s3: 'S3',
  move: 'Moving',
  providers: 'Providers',
  init: 'A kraftwerk.yaml',
}

/** The page, in Markdown. `templates` are kraft's own (`{ name, header }`), `skeleton` the variables of a new project's files. */
export function templatesPage(templates, skeleton, note) {
  const chapters = Object.entries(folders).map(([folder, title]) => {
    const own = templates.filter(({ name, header }) => name.startsWith(`${folder}/`) && header !== undefined)
    return `## ${title}\n\n${own.map(section).join('\n\n')}`
  })
  return `${note}

# Templates

Every file that lands on a node, and every file that \`kraft init\` writes, is a template in [EJS](https://ejs.co). Yours replaces kraft's, file by
file: it lies at the same path in \`templates/\` beside your kraftwerk.yaml (for this project), or in the folder that \`templates:\` in
\`~/.kraftwerk.yaml\` names (for all of your projects). Where both have one, the project's counts.

\`\`\`sh elsewhere
kraft templates                           # all, where each lands, and which of them are yours
kraft templates show nginx/site.conf      # one of them, with its variables
kraft templates eject nginx/site.conf     # a copy in templates/ of the project, to change; --to user: in your own folder
kraft deploy:stage --dry-run              # what that would change, as a diff
\`\`\`

What lands on a node is looked at before it counts where that is possible: nginx refuses a site with a mistake, and the one before stays. A
template that names what there is not ends the task, a deploy before it has changed anything:

\`\`\`text
error: /home/me/shop/templates/nginx/site.conf.ejs:8: plcae is not defined. Did you mean "place"?
next:  There are: place, layout, domain, …. What each is: kraft templates show nginx/site.conf
\`\`\`

A copy does not follow when kraft's template changes: look at both after an update. \`<%= value %>\` prints a value as it is, because nothing is
HTML, and refuses one that is undefined, for which \`<%- value %>\` prints nothing. \`<%- include('nginx/site.headers.conf.ejs', { indent: '  ' }) -%>\` puts another
template in, yours if you have one; that can name all that the whole can, and what it is given. Where a secret is among the values
that a template prints, its file has the mode 0600, and no diff shows it.

In the tables \`Place\` is [an instance](api.md#place) and \`Layout\` [where its things are](api.md#layout); NAME in a path is the
instance's name. For files of your own see [\`template\`](api.md#template).

${chapters.join('\n\n')}

## A new project

\`kraft init NAME\` makes a project of \`skeleton/django\`, \`skeleton/flask\` or \`skeleton/wsgi\`. \`skeleton/bottle\` in a folder of yours is one
more. What ends in \`.ejs\` is rendered, all else is copied; \`__name__\` in a path is the package.

${table(Object.entries(skeleton).map(([name, doc]) => ({ name, type: 'string', doc })))}

## The dashboard

\`dashboard/page.js\`, \`dashboard/style.css\` and \`dashboard/icon.svg\` are what the page of \`kraft dashboard\` loads, as they are. Nothing of it is on a node.
`
}

function section({ name, header: { doc, to, mode, owner, partOf, variables } }) {
  const lands =
    to === undefined
      ? ''
      : `Lands at ${to
          .split(', ')
          .map((path) => `\`${path}\``)
          .join(' and ')}${mode === undefined ? '' : ` (\`${owner}\`, ${mode})`}.`
  const part =
    partOf.length === 0
      ? ''
      : `A part of ${partOf.map((each) => `[${each}](#${anchor(each)})`).join(', ')}: it can name all that they can${variables.length === 0 ? '.' : ', and'}`
  return [
    `### ${name}`,
    [doc, lands, part].filter((each) => each !== '').join(' '),
    ...(variables.length === 0 ? [] : [table(variables)]),
  ].join('\n\n')
}

function table(variables) {
  const rows = variables.map(
    ({ name, type, optional, doc }) =>
      `| \`${name}\` | \`${type.replaceAll('|', '\\|')}\` | ${doc}${optional ? ' Not always given.' : ''} |`,
  )
  return ['| Variable | Type | |', '| --- | --- | --- |', ...rows].join('\n')
}

function anchor(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
