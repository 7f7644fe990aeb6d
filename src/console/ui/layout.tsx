import type { IncomingMessage } from 'node:http'
import type { ComponentChildren, VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Person } from '../../http/person.ts'
import { Account } from './account.tsx'
import type { AssetUrls } from './assets.ts'

/** What every page of the console needs for its layout. */
export type Shell = {
  assets: AssetUrls
  /** Pages show no button that changes anything. */
  readOnly: boolean
  /** Who is logged in; undefined on the login page. */
  person: Person | undefined
}

/** The shell of the pages for whoever makes the request. */
export type ShellOf = (req: IncomingMessage) => Shell

const PAGES = [
  ['/console', 'Now'],
  ['/console/customer', 'Customer'],
  ['/console/team', 'Team'],
  ['/console/stuck', 'Held & dead'],
  ['/console/lifecycle', 'Lifecycle'],
  ['/console/webhooks', 'Webhooks'],
] as const

/** Pages that show the whole installation, to people who may see all orgs. */
const PAGES_OF_ALL = [
  ['/console/doctor', 'Doctor'],
  ['/queues/', 'Queues'],
] as const

type Props = {
  shell: Shell
  title: string
  /** The path by which the navigation marks the page as the current one. */
  here?: string
  children: ComponentChildren
}

/** Renders a whole page as HTML. */
export function renderPage(props: Props): string {
  return `<!doctype html>${renderToString(<Page {...props} />)}`
}

/** Renders a part of a page as HTML. */
export function renderPart(part: VNode): string {
  return renderToString(part)
}

function Page({ shell, title, here, children }: Props) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{`${title} · Usher`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href={shell.assets['icon.svg']} type="image/svg+xml" />
        <link rel="stylesheet" href={shell.assets['console.css']} />
        {shell.person && <script src={shell.assets['console.js']} defer />}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href="/console">
            <img src={shell.assets['icon.svg']} alt="" width="26" height="26" />
            <span>Usher</span>
          </a>
          {shell.person && (
            <nav aria-label="Console">
              {[...PAGES, ...(shell.person.orgs ? [] : PAGES_OF_ALL)].map(([href, name]) => (
                <a href={href} aria-current={href === here ? 'page' : undefined}>
                  {name}
                </a>
              ))}
            </nav>
          )}
          {shell.person && <Account person={shell.person} />}
        </header>
        <main id="main" tabIndex={-1}>
          {children}
        </main>
        {shell.person && <footer id="zone">Times are in UTC.</footer>}
      </body>
    </html>
  )
}
