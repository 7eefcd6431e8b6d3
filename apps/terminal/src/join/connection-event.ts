import type { ConnectionState } from '@sotto/client';
import type { ChatEvent } from './chat-event.js';

export function connectionEvent(state: ConnectionState): Extract<ChatEvent, { event: 'connection' }> {
  if (state.state === 'offline') return { event: 'connection', state: 'offline', cause: state.cause, retryInMs: state.retryInMs };
  if (state.state === 'refused') {
    const { cause, reason } = state;
    return { event: 'connection', state: 'refused', cause, ...(reason === 'pin-changed' && { reason }) };
  }
  return { event: 'connection', state: state.state };
}
