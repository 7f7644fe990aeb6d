export const RETRY_PATH = '/stuck/sends'

/** A message that failed, or whose outcome is unknown. */
type RetriedSend = { orgId: string; chatroomId: string; id: string; status: 'failed' | 'unknown' }

type Props = {
  send: RetriedSend
  /** The customer to whose page the answer leads; without one it leads to the list of failed sends. */
  customerId?: string
}

/** A button that sends a message again; an unknown one only for somebody who ticks that the customer may get it twice. */
export function RetryForm({ send: { orgId, chatroomId, id, status }, customerId }: Props) {
  const action = `/console${RETRY_PATH}/${encodeURIComponent(orgId)}/${chatroomId}/${id}/retry`
  return (
    <form class="bar" method="post" action={action}>
      {customerId && <input type="hidden" name="customer" value={customerId} />}
      {status === 'unknown' && (
        <label>
          <input type="checkbox" name="confirm" value="true" required /> may arrive twice
        </label>
      )}
      <button type="submit" aria-label={`Send message ${id} again`}>
        Send again
      </button>
    </form>
  )
}
