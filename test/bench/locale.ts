import type pg from 'pg'

/**
 * SQL: what follows `create database NAME`, so that the database compares text as `locale` says, such as `en_US.UTF-8`: as
 * the operating system does where it has that locale, otherwise as ICU does for its language.
 * @throws Error for what is no locale.
 */
export async function localeSql(client: pg.Client, locale: string | undefined): Promise<string> {
  if (locale === undefined) return ''
  if (!/^[A-Za-z]{2,3}_[A-Z]{2}(\.[\w-]+)?$/.test(locale))
    throw new Error('--locale must look like en_US.UTF-8')
  const { rowCount } = await client.query(
    `select from pg_collation where collprovider = 'c' and replace(lower(collcollate), '-', '') = $1 limit 1`,
    [locale.toLowerCase().replaceAll('-', '')],
  )
  const language = locale.replace(/\..*/, '').replace('_', '-')
  const provider = rowCount ? `libc locale '${locale}'` : `icu icu_locale '${language}' locale 'C'`
  return `template template0 locale_provider ${provider}`
}
