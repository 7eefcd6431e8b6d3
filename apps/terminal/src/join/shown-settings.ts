import type { MessagingClient } from '@sotto/client';
import type { MessageEvent } from './message-event.js';

/** The answer to whatever changes a setting. */
export function shownSettings({ settings }: Pick<MessagingClient, 'settings'>): Extract<MessageEvent, { event: 'settings' }> {
  const { readReceipts, retentionDays, invisible } = settings;
  return { event: 'settings', readReceipts, ...(retentionDays !== undefined && { retentionDays }), ...(invisible && { invisible }) };
}
