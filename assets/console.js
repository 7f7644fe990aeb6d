// The live feed and the refreshing of the console. Every page also works without JavaScript.
const feed = document.getElementById('feed')
const MAX_ROWS = 60

if (feed) {
  const live = document.getElementById('live')
  const pause = document.getElementById('pause')
  const figures = document.getElementById('figures')
  const seen = new Set([...feed.children].map((row) => row.dataset.key))
  let paused = false
  let waiting = []

  const show = (rows) => {
    feed.prepend(...rows)
    while (feed.children.length > MAX_ROWS) feed.lastElementChild.remove()
  }
  const read = (html) => {
    const template = document.createElement('template')
    template.innerHTML = html
    const fresh = [...template.content.children].filter((row) => !seen.has(row.dataset.key))
    for (const row of fresh) {
      seen.add(row.dataset.key)
      row.classList.add('new')
    }
    for (const key of seen) {
      if (seen.size <= MAX_ROWS * 20) break
      seen.delete(key)
    }
    return fresh
  }

  const source = new EventSource(feed.dataset.stream)
  source.addEventListener('open', () => live.classList.remove('lost'))
  source.addEventListener('error', () => live.classList.add('lost'))
  source.addEventListener('rows', ({ data }) => {
    const rows = read(JSON.parse(data))
    if (paused) waiting = [...rows, ...waiting].slice(0, MAX_ROWS)
    else show(rows)
  })
  source.addEventListener('figures', ({ data }) => {
    if (!paused && !figures.contains(document.activeElement)) figures.innerHTML = JSON.parse(data)
  })
  pause.addEventListener('click', () => {
    paused = !paused
    pause.setAttribute('aria-pressed', String(paused))
    if (!paused) {
      show(waiting)
      waiting = []
    }
  })
  live.hidden = false
  pause.hidden = false
}

// A part with `data-busy` is fetched again every second until the server sends it without `data-busy`.
const refresh = async (id) => {
  const response = await fetch(location.href)
  if (!response.ok) return
  const next = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById(id)
  const current = document.getElementById(id)
  if (!next || !current) return
  current.replaceWith(next)
  later(next)
}
const later = (part) => {
  if (part.hasAttribute('data-busy')) setTimeout(() => refresh(part.id), 1_000)
}
for (const part of document.querySelectorAll('[data-busy]')) later(part)
