// The live feed and the refreshing of the console. Every page also works without JavaScript.
const feed = document.getElementById('feed')
const MAX_ROWS = 60
const RETRY_MS = 5_000

const keyOf = (row) => row.dataset.key
const seqOf = (row) => Number(row.dataset.seq)

// Rows come in any order, and again when the stream connects again: the newest 60, each once, the newest first.
const merge = (rows, more) => {
  const byKey = new Map([...more, ...rows].map((row) => [keyOf(row), row]))
  return [...byKey.values()].sort((a, b) => seqOf(b) - seqOf(a)).slice(0, MAX_ROWS)
}

// Times are shown in the time zone of the browser; UTC is in their titles. A time of day of another day gets its date.
const localise = (part) => {
  const [today] = new Date().toLocaleString('sv-SE').split(' ')
  for (const time of part.querySelectorAll('time')) {
    const [day, clock] = new Date(time.dateTime).toLocaleString('sv-SE').split(' ')
    time.textContent = 'clock' in time.dataset && day === today ? clock : `${day} ${clock}`
  }
}
localise(document)
const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
document.getElementById('zone').textContent = `Times are in ${timeZone}. Point at one to see it in UTC.`

if (feed) {
  const live = document.getElementById('live')
  const pause = document.getElementById('pause')
  const figures = document.getElementById('figures')
  const newest = Math.max(0, ...[...feed.children].map(seqOf))
  let state = 'connecting'
  // The rows that came during a pause, and how many messages came in all; undefined while there is no pause.
  let waiting
  let missed = 0

  // Rows that stay are not touched, so the focus and the highlighting of new rows stay too.
  const show = (more) => {
    const rows = merge([...feed.children], more)
    rows.forEach((row, i) => {
      if (feed.children[i] !== row) feed.insertBefore(row, feed.children[i] ?? null)
    })
    while (feed.children.length > MAX_ROWS) feed.lastElementChild.remove()
  }
  const keep = (more) => {
    const oldest = [waiting, [...feed.children]].find((rows) => rows.length === MAX_ROWS)?.at(-1)
    const known = new Set([...waiting, ...feed.children].map(keyOf))
    const fresh = more.filter((row) => !known.has(keyOf(row)) && (!oldest || seqOf(row) > seqOf(oldest)))
    missed += fresh.length
    waiting = merge(waiting, fresh)
  }
  const tell = () => {
    const waits = missed === 1 ? '1 message waits' : `${missed || 'no'} messages wait`
    const word = waiting && state === 'live' ? 'paused' : state
    live.textContent = waiting ? `${word}, ${waits}` : word
    live.className = `live ${word === 'live' ? '' : word === 'paused' ? 'paused' : 'lost'}`
  }
  const setState = (next) => {
    state = next
    tell()
  }
  const read = (html) => {
    const template = document.createElement('template')
    template.innerHTML = html
    const rows = [...template.content.children]
    localise(template.content)
    for (const row of rows) row.classList.toggle('new', seqOf(row) > newest)
    return rows
  }

  const connect = () => {
    const source = new EventSource(feed.dataset.stream)
    source.addEventListener('open', () => setState('live'))
    source.addEventListener('error', () => {
      setState('not connected')
      // A browser gives up when the answer is an error.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS)
    })
    source.addEventListener('rows', ({ data }) => {
      const rows = read(JSON.parse(data))
      if (!waiting) return show(rows)
      keep(rows)
      tell()
    })
    source.addEventListener('figures', ({ data }) => {
      if (waiting || figures.contains(document.activeElement)) return
      figures.innerHTML = JSON.parse(data)
      localise(figures)
    })
  }
  pause.addEventListener('click', () => {
    const rows = waiting
    waiting = rows ? undefined : []
    missed = 0
    pause.setAttribute('aria-pressed', String(!rows))
    if (rows) show(rows)
    tell()
  })
  tell()
  connect()
  live.hidden = false
  pause.hidden = false
}

// On narrow screens a row is a block without the heads of its columns. Its cells carry them, and stay cells for screen readers.
const ROLES = { TABLE: 'table', TBODY: 'rowgroup', TR: 'row', TD: 'cell', TH: 'rowheader' }
const label = (part) => {
  for (const table of part.querySelectorAll('table')) {
    const heads = [...table.querySelectorAll('thead th')].map((head) => head.textContent)
    for (const element of [table, ...table.querySelectorAll('tbody, tbody *')])
      if (ROLES[element.tagName]) element.setAttribute('role', ROLES[element.tagName])
    for (const row of table.querySelectorAll('tbody tr'))
      for (const [i, cell] of [...row.cells].entries()) cell.dataset.label = heads[i] ?? ''
  }
}
label(document)

// The search offers what the text may be the beginning of.
const search = document.querySelector('input[data-suggest]')
let asking
search?.addEventListener('input', () => {
  clearTimeout(asking)
  asking = setTimeout(async () => {
    const { value, dataset, form, list } = search
    const parameters = new URLSearchParams({ q: value, org: form.elements.org.value })
    const response = await fetch(`${dataset.suggest}?${parameters}`)
    if (response.ok && search.value === value) list.innerHTML = await response.text()
  }, 200)
})

// A part with `data-busy` is fetched again every second until the server sends it without `data-busy`.
const refresh = async (id) => {
  const response = await fetch(location.href)
  if (!response.ok) return
  const next = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById(id)
  const current = document.getElementById(id)
  if (!next || !current) return
  label(next)
  localise(next)
  current.replaceWith(next)
  later(next)
}
const later = (part) => {
  if (part.hasAttribute('data-busy')) setTimeout(() => refresh(part.id), 1_000)
}
for (const part of document.querySelectorAll('[data-busy]')) later(part)
