import type { DeviceCore } from '../device-core.js';

/**
 * As this user knows them: a contact by its name in the contact list. Anybody else chose the name in its own credential, so that
 * goes with a part of the account's id, and is never taken for a contact's.
 */
export function nameOf(account: string, name: string, { contacts, session }: DeviceCore): string {
  if (account === session?.account) return session.name;
  // Of a message that was stored when no account was kept with it.
  if (account === '') return name;
  return contacts.byAccount(account)?.name ?? `${name}~${account.slice(0, 4)}`;
}

/** A contact's name for a direct conversation, else the group's id. */
export function conversationOf(group: string | undefined, account: string | undefined, device: DeviceCore): string {
  const other = account ?? (group === undefined ? undefined : device.messenger?.otherEnd(group));
  if (other === undefined) return group ?? '';
  return device.contacts.byAccount(other)?.name ?? other;
}
