#!/usr/bin/env node
// Makes docs/demo.svg: runs the demo in a real terminal of 84 columns, replays what it wrote in a terminal emulator, and
// draws the screen as text. The node "demo" is made anew for it.
// Usage: node scripts/record.mjs [FILE]
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import headless from '@xterm/headless'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const file = process.argv[2] ?? join(root, 'docs', 'demo.svg')
const columns = 84
const rows = 40
const cell = { width: 8.4, height: 19, size: 14 }
const margin = { side: 18, top: 44, bottom: 16 }
const palette = {
  text: '#d6deeb',
  back: '#11161d',
  bar: '#1b222c',
  colors: ['#5c6773', '#ff7b72', '#7ee787', '#f2cc60', '#79c0ff', '#d2a8ff', '#76e3ea', '#d6deeb'],
}

const kraft = join(root, 'dist', 'kraft.js')
const nodes = JSON.parse(spawnSync(process.execPath, [kraft, 'nodes', '--json'], { encoding: 'utf8', cwd: root }).stdout || '[]')
if (nodes.some(({ name }) => name === 'demo'))
  spawnSync(process.execPath, [kraft, 'terminate:demo', '--yes'], { stdio: 'inherit', cwd: root })

const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true })
const code = await replay(`stty cols ${columns} rows ${rows}; exec '${process.execPath}' '${join(root, 'scripts', 'demo.mjs')}'`)
if (code !== 0) {
  console.error(`The demo ended with ${code}; nothing was written`)
  process.exit(1)
}
writeFileSync(file, draw(screen()))
console.log(`${file} is written`)

/** Runs a command line on a pseudo-terminal; the emulator sees all that it writes. */
async function replay(command) {
  // Variables of an editor or of CI would change what is shown.
  const { CI: _ci, NO_COLOR: _color, ...env } = process.env
  const given = ['--quiet', '--flush', '--return', '--command', command, '/dev/null']
  const child = spawn('script', given, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, TERM: 'xterm-256color', FORCE_COLOR: '1' },
  })
  child.stdout.on('data', (chunk) => {
    terminal.write(chunk)
    process.stdout.write(chunk)
  })
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  await new Promise((resolve) => terminal.write('', resolve))
  return status
}

/** Every line that is left on the screen and above it, as runs of cells that look alike. */
function screen() {
  const buffer = terminal.buffer.active
  const lines = []
  for (let y = 0; y < buffer.length; y += 1) {
    const line = buffer.getLine(y)
    const runs = []
    for (let x = 0; x < columns; x += 1) {
      const it = line?.getCell(x)
      if (it === undefined || it.getWidth() === 0) continue
      const look = JSON.stringify({
        fill: color(it),
        bold: it.isBold() !== 0,
        dim: it.isDim() !== 0,
        line: it.isUnderline() !== 0,
      })
      const text = it.getChars() || ' '
      const last = runs.at(-1)
      if (last?.look === look) last.text += text
      else runs.push({ x, look, text })
    }
    lines.push(runs.filter(({ text }) => text.trim() !== ''))
  }
  while (lines.at(-1)?.length === 0) lines.pop()
  return lines
}

function color(it) {
  return it.isFgPalette() && it.getFgColor() < 16 ? palette.colors[it.getFgColor() % 8] : palette.text
}

function draw(lines) {
  const width = Math.round(columns * cell.width + 2 * margin.side)
  const height = Math.round(lines.length * cell.height + margin.top + margin.bottom)
  const text = lines.flatMap((runs, y) => runs.map((run) => drawRun(run, margin.top + (y + 0.75) * cell.height)))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" xml:space="preserve" role="img" aria-label="npm run demo in a terminal">
<style>text{font:${cell.size}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}.b{font-weight:bold}</style>
<rect width="${width}" height="${height}" rx="8" fill="${palette.back}"/>
<path d="M0 30V8a8 8 0 0 1 8-8h${width - 16}a8 8 0 0 1 8 8v22z" fill="${palette.bar}"/>
<circle cx="20" cy="15" r="5" fill="#ff5f56"/><circle cx="38" cy="15" r="5" fill="#ffbd2e"/><circle cx="56" cy="15" r="5" fill="#27c93f"/>
<text x="${width / 2}" y="20" text-anchor="middle" fill="#8b98a8">npm run demo</text>
${text.join('\n')}
</svg>
`
}

function drawRun({ x, look, text }, y) {
  const { fill, bold, dim, line } = JSON.parse(look)
  const kept = text.trimEnd()
  const start = x + (kept.length - kept.trimStart().length)
  const shown = kept.trimStart()
  const style = [bold ? ' class="b"' : '', dim ? ' opacity=".6"' : '', line ? ' text-decoration="underline"' : ''].join('')
  // The length keeps columns straight in whatever font a reader has.
  const length = ([...shown].length * cell.width).toFixed(1)
  const place = `x="${(margin.side + start * cell.width).toFixed(1)}" y="${y.toFixed(1)}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`
  return `<text ${place} fill="${fill}"${style}>${escaped(shown)}</text>`
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
