import { Redis } from 'ioredis'

/** One job for each message or status. Until the worker has stored it, it exists only in this job. */
export type PlainJob = {
  phoneId: string
  receivedAt: number
  contact: unknown
} & ({ message: PlainMessage } | { status: PlainStatus })

export type PlainMessage = {
  id: string
  from: string
  from_user_id?: string
  timestamp: string
  type: string
}
export type PlainStatus = { id: string; status: string; timestamp: string }

export const QUEUE = 'plain'

export const redis = () => new Redis(process.env.REDIS_URL ?? '', { maxRetriesPerRequest: null })
