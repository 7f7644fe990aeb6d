import type { Person } from '../../http/person.ts'

/** Who is logged in, the button to log out, and whether pages change nothing. */
export function Account({ person: { name, role, hasSession } }: { person: Person }) {
  if (role === 'operator' && !hasSession) return null
  return (
    <div class="account">
      {role === 'viewer' && <span class="badge quiet">read-only</span>}
      {hasSession && (
        <form class="bar" method="post" action="/logout">
          <span class="dim">{name}</span>
          <button type="submit">Log out</button>
        </form>
      )}
    </div>
  )
}
