// Keeps a page of `kraft dashboard` fresh, and shows the logs of an environment.
const link = document.querySelector('#link')
const live = document.querySelector('#live')

/** Puts what is new in the place of what is old. What is being copied or has the focus is not taken away. */
function show(text) {
  const selection = getSelection()
  if (selection && !selection.isCollapsed && live.contains(selection.anchorNode)) return
  const href = live.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null
  live.innerHTML = text
  if (href !== null) live.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true })
}

const fresh = new EventSource(`/fresh?page=${encodeURIComponent(location.pathname)}`)
fresh.addEventListener('fresh', ({ data }) => show(data))
fresh.addEventListener('open', () => {
  link.textContent = 'live'
  link.className = 'good'
})
fresh.addEventListener('error', () => {
  link.textContent = 'kraft dashboard has ended'
  link.className = 'bad'
})

const logs = document.querySelector('#logs')
if (logs !== null) followLogs(logs)

function followLogs(section) {
  const most = 1000
  const form = section.querySelector('form')
  const list = section.querySelector('ol')
  const { log, text, follow } = form.elements
  let source
  let timer

  function addLines(entries) {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40
    for (const entry of entries) {
      const from = document.createElement('b')
      from.textContent = `${entry.node} ${entry.log}`
      const item = document.createElement('li')
      item.append(from, ` ${entry.lines.join('\n')}`)
      list.append(item)
    }
    while (list.childElementCount > most) list.firstElementChild.remove()
    if (atEnd) list.scrollTop = list.scrollHeight
  }

  function setNames(names) {
    const chosen = log.value
    const options = names.map((name) => new Option(name, name, false, name === chosen))
    log.replaceChildren(new Option('all', ''), ...options)
  }

  function begin() {
    source?.close()
    if (!follow.checked) return
    list.replaceChildren()
    source = new EventSource(
      `/environments/${encodeURIComponent(section.dataset.word)}/logs?${new URLSearchParams({ log: log.value, text: text.value })}`,
    )
    // Where it was lost and comes back, all is said anew.
    source.addEventListener('open', () => list.replaceChildren())
    source.addEventListener('names', ({ data }) => setNames(JSON.parse(data)))
    source.addEventListener('lines', ({ data }) => addLines(JSON.parse(data)))
  }

  form.addEventListener('submit', (event) => event.preventDefault())
  for (const each of [log, follow]) each.addEventListener('change', begin)
  text.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(begin, 300)
  })
  begin()
}
