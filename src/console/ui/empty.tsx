import type { ComponentChildren } from 'preact'

/** A note in place of an empty list. */
export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>
}

/** What to do first on an installation without orgs. */
export function NoOrgs() {
  return (
    <Nothing>
      No org is provisioned yet. First describe an org, its WABAs and its numbers in a file, and apply it with{' '}
      <code>npm run provision -- org.json</code>. The <a href="/console/doctor">doctor</a> says what else is
      missing.
    </Nothing>
  )
}
