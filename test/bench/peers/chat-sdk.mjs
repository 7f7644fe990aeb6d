import { createRedisState } from '@chat-adapter/state-redis'
import { createWhatsAppAdapter } from '@chat-adapter/whatsapp'
import { Chat } from 'chat'
import { serve, store } from './shared.mjs'

/** The Chat SDK answers and then calls its user; `concurrent` is the one of its strategies that drops or merges no message. */
const whatsapp = createWhatsAppAdapter({
  ...{ accessToken: 'none', appSecret: process.env.META_APP_SECRET, verifyToken: 'none' },
  ...{ phoneNumberId: 'bench-phone-0', userName: 'bench' },
})
const bot = new Chat({
  userName: 'bench',
  adapters: { whatsapp },
  state: createRedisState({ url: process.env.REDIS_URL }),
  logger: 'silent',
  concurrency: 'concurrent',
})
const phoneOf = (thread) => thread.id.split(':')[1]
bot.onDirectMessage((thread, { id, author, raw }) => store(id, phoneOf(thread), author.userId, raw))

serve(async (request, response) => {
  const url = `http://127.0.0.1${request.originalUrl}`
  const { method, body } = request
  const headers = {
    'x-hub-signature-256': request.get('x-hub-signature-256') ?? '',
    'content-type': 'application/json',
  }
  const answer = await bot.webhooks.whatsapp(new Request(url, { method, headers, body }), {
    waitUntil: () => undefined,
  })
  response.status(answer.status).send(await answer.text())
})
