import { wordsMatch } from './signature.ts'

/** The one name and password of basic auth. */
export type BasicLogin = { user: string; password: string }

/** Both are always compared, so that the time taken does not reveal which of them was wrong. */
export function isLogin(login: BasicLogin, name: string, password: string): boolean {
  const isUser = wordsMatch(name, login.user)
  const isPassword = wordsMatch(password, login.password)
  return isUser && isPassword
}
