const photo = document.querySelector('input[type="file"]')
const preview = document.querySelector('.preview')

photo?.addEventListener('change', () => {
  URL.revokeObjectURL(preview.src)
  const [file] = photo.files
  preview.hidden = file === undefined
  preview.src = file === undefined ? '' : URL.createObjectURL(file)
})

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

for (const time of document.querySelectorAll('time')) {
  const seconds = (new Date(time.dateTime) - Date.now()) / 1000
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  if (Math.abs(seconds) > 30 * 86_400) continue
  time.title = time.textContent
  time.textContent = Math.abs(seconds) < 60 ? 'just now' : relative.format(Math.round(seconds / size), unit)
}
