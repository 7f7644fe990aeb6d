import { queryString } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'

/** How people may log in. */
export type Ways = { password: boolean; provider: boolean }

type Login = {
  /** The path to which the login leads. */
  next: string
  /** What was typed as the name. */
  name?: string
  /** Why the last attempt was refused. */
  problem?: string | undefined
  /** True after a logout. */
  hasLeft?: boolean
}

/** The page that asks for name and password, and leads to the OpenID provider. It works without JavaScript. */
export function renderLogin(shell: Shell, ways: Ways, login: Login): string {
  const { next, problem, hasLeft = false } = login
  return renderPage({
    shell,
    title: 'Log in',
    children: (
      <div class="card login">
        <h1>Log in</h1>
        {problem && (
          <p class="problem" role="alert" id="problem">
            {problem}
          </p>
        )}
        {hasLeft && <p role="status">You are logged out.</p>}
        {ways.password && <PasswordForm {...login} />}
        {ways.provider && (
          <p>
            <a class="button" href={`/login/provider${queryString({ next })}`}>
              Log in with single sign-on
            </a>
          </p>
        )}
      </div>
    ),
  })
}

function PasswordForm({ next, name, problem }: Login) {
  return (
    <form method="post" action="/login" aria-describedby={problem && 'problem'}>
      <input type="hidden" name="next" value={next} />
      <label class="field">
        <span>Name</span>
        <input
          name="name"
          value={name}
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
        />
      </label>
      <label class="field">
        <span>Password</span>
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <button type="submit">Log in</button>
    </form>
  )
}
