import { color, DefaultRenderer, figures, indent, type ProcessOutput } from 'listr2'
import { clip, settled, shorten, widthOf } from './shorten.js'

// Between a title and its mark, where no title has it: a title that is cut keeps its mark.
const separator = '\u001f'

/** A title with a mark that the renderer paints. */
export function withMark(title: string, mark: string): string {
  return `${title}${separator}${mark}`
}

/** A title, with its mark if it has one, and how long it took. */
export function withTime(title: string, time: string): string {
  return title.includes(separator) ? `${title} ${time}` : withMark(title, time)
}

/**
 * listr2's renderer for long lists on stderr. listr2 repaints on every line of output, which made 20 busy nodes take 22 s for
 * 3.4 s of work: this one paints at most every 80 ms, and rarer where painting is slow. It measures stderr and not stdout, and
 * a list that is taller than the terminal loses what waits instead of its first lines.
 */
export class CalmRenderer extends DefaultRenderer {
  // The list is drawn on stderr, so whether stdout is a terminal does not matter.
  static override nonTTY = true
  private static readonly drawing = new Set<CalmRenderer>()
  private static drawings = 0
  private static waiting: (() => void)[] = []
  private timer: NodeJS.Timeout | undefined
  private cost = 0
  private ended = false
  private aside = false
  private last: { readonly lines: readonly string[]; readonly columns: number } | undefined

  private readonly terminal: ProcessOutput | undefined

  constructor(...given: ConstructorParameters<typeof DefaultRenderer>) {
    super(...given)
    this.terminal = given[1].logger?.process
  }

  /** Takes what is drawn now away while something else has the terminal, whose lines stay. */
  static async aside<T>(other: () => Promise<T>): Promise<T> {
    const drawn = [...CalmRenderer.drawing].filter((renderer) => !renderer.aside)
    for (const renderer of drawn) renderer.leave()
    try {
      return await other()
    } finally {
      for (const renderer of drawn) renderer.comeBack()
    }
  }

  /** Ends whatever is drawn now. */
  static stop(): void {
    for (const renderer of CalmRenderer.drawing) renderer.end()
  }

  /** Calls `then` once something was drawn after drawing number `since`: listr2 forgets the output of a task not yet drawn. */
  static afterDrawing(since: number, then: () => void): void {
    if (CalmRenderer.drawings > since) then()
    else CalmRenderer.waiting.push(then)
  }

  /** How often something was drawn until now. */
  static get drawn(): number {
    return CalmRenderer.drawings
  }

  override async render(): Promise<void> {
    CalmRenderer.drawing.add(this)
    await super.render()
  }

  override update(): void {
    if (this.timer !== undefined || this.ended || this.aside) return
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        const start = performance.now()
        this.eraseBroken()
        super.update()
        this.cost = performance.now() - start
      },
      Math.max(80, 4 * this.cost),
    )
  }

  override end(): void {
    clearTimeout(this.timer)
    if (this.ended) return
    this.ended = true
    this.aside = false
    CalmRenderer.drawing.delete(this)
    this.eraseBroken()
    super.end()
  }

  // A terminal that has become narrower breaks what is drawn into more lines than the next drawing would erase.
  private eraseBroken(): void {
    const columns = process.stderr.columns || 80
    if (this.last === undefined || columns >= this.last.columns) return
    const more = this.last.lines.map((line) => Math.ceil(widthOf(line) / columns) - 1).filter((count) => count > 0)
    const lines = more.reduce((sum, count) => sum + count, 0)
    this.terminal?.toStdout('\x1b[2K\x1b[1A'.repeat(lines), false)
    this.last = undefined
  }

  private leave(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.aside = true
    this.eraseBroken()
    // Draws the empty line that create() gives now.
    super.update()
    this.terminal?.release()
  }

  private comeBack(): void {
    if (this.ended) return
    // The next drawing erases the last line, which it takes for its own empty one.
    process.stderr.write('\n')
    this.terminal?.hijack()
    this.aside = false
    this.update()
  }

  override create(options?: Parameters<DefaultRenderer['create']>[0]): string {
    if (this.aside) return ''
    const text = super.create(options)
    CalmRenderer.drawings += 1
    for (const then of CalmRenderer.waiting.splice(0)) then()
    if (this.ended) return text
    const signs = {
      waiting: figures.squareSmallFilled,
      done: [figures.tick, figures.arrowDown],
      output: figures.pointerSmall,
      failed: figures.cross,
    }
    // The cursor's line is below the list.
    const lines = shorten(text.split('\n'), (process.stderr.rows || 24) - 1, signs)
    this.last = { lines, columns: process.stderr.columns || 80 }
    return lines.join('\n')
  }

  protected override format(message: string, icon: string, level: number): string[] {
    const width = (process.stderr.columns || 80) - 2 * level - 1
    return message.split('\n').flatMap((text, index) => {
      const [title = '', mark] = text.split(separator).map(settled)
      if (title === '') return []
      const sign = index === 0 ? icon : ' '
      const taken = 2 + (mark === undefined ? 0 : mark.length + 1)
      const shown = `${sign} ${clip(title, width - taken)}${mark === undefined ? '' : ` ${color.cyan(mark)}`}`
      return [indent(shown, 2 * level)]
    })
  }
}
