import type { Response } from 'express'
import type { Db } from '../../db/client.ts'
import { awaitDurable } from '../../db/durable.ts'

/** Sends a page, once all that was read for it is durable: no id that it shows is undone by a crash of PostgreSQL. */
export async function sendPage(db: Db, res: Response, html: string): Promise<void> {
  await awaitDurable(db)
  res.type('html').send(html)
}
